/// Why a container cannot be read on, and where.
public struct ContainerFault: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Problem: Sendable, Equatable {
        /// It does not begin with the magic of a container.
        case noContainer
        /// It ends inside of what is named.
        case truncated(String)
        /// A count, length or size that cannot be.
        case impossible(String, Int64)
        /// A number of more than 64 bits.
        case noLong(String)
        /// More bytes than are ever held in memory.
        case tooLarge(String, Int)
        /// A piece of metadata that is missing, or no text.
        case metadata(String)
        /// A codec that is not known here.
        case codec(String)
        /// The data of a block is not what its codec makes.
        case corrupt(String)
        /// After a block stands another marker than in the header.
        case marker
        /// The bytes themselves could not be had.
        case unreadable(String)
    }

    public var problem: Problem
    /// Bytes of the container before the place.
    public var offset: Int

    public var description: String { "at byte \(offset): \(what)" }

    private var what: String {
        switch problem {
        case .noContainer: "no Avro object container: it does not begin with \"Obj\" and 1"
        case .truncated(let place): "it ends inside \(place)"
        case .impossible(let place, let number): "\(place) of \(number) cannot be"
        case .noLong(let place): "\(place) of more than 64 bits cannot be"
        case .tooLarge(let place, let limit): "\(place) holds more than \(limit) bytes"
        case .metadata(let name): "the header's \(name) is missing, or no text"
        case .codec(let name):
            "the codec \"\(name)\" is not known here; known are "
                + ContainerHeader.Codec.allCases.map(\.rawValue).joined(separator: ", ")
        case .corrupt(let why): "the data of the block is damaged: \(why)"
        case .marker: "the block does not end with the header's sync marker"
        case .unreadable(let why): why
        }
    }
}
