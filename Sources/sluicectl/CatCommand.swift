import ArgumentParser
import Configuration
import Curl
import Dispatch
import Files
import Glibc
import Model

/// `sluicectl cat`: prints the events in objects.
struct CatCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cat",
        abstract: "Prints the events of objects as JSON Lines.",
        discussion: """
            An object is a local file, - for stdin, or s3://bucket/key, which is fetched with the \
            credentials of the connector that has this bucket and a folder with this key. What it \
            is, its first bytes tell: an Avro object container (codec deflate, zstandard or null), \
            gzip data, zstd data, or JSON Lines.

            Of Avro, a union is printed as the value that it holds, bytes and fixed as a string of \
            the characters U+0000 to U+00FF, NaN and the infinities as strings. JSON Lines are \
            printed as they are.

            Examples:
              sluicectl cat dataexport.prod-01.S3.integration.5d4a+0+0.avro | head
              aws s3 cp s3://acme-events/currents/orders.avro - | sluicectl cat --schema -
              sudo sluicectl cat --metadata s3://acme-events/currents/orders.avro

            Exit status: 0 where all of all objects was printed, 1 where something was not, 77 or \
            78 where the configuration that an s3:// address needs may not be read or is wrong.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Flag(help: "Print the Avro schema in place of the events.")
    var schema = false

    @Flag(help: "Print the header's metadata and counts, as JSON, in place of the events.")
    var metadata = false

    @Argument(
        help: ArgumentHelp("Files, - for stdin, or s3://bucket/key.", valueName: "object"),
        completion: .file())
    var objects: [String]

    func validate() throws {
        if schema, metadata { throw ValidationError("give --schema or --metadata, not both") }
        for object in objects where ObjectPlace(object) == nil {
            throw ValidationError("\(object): write s3://bucket/key")
        }
        if objects.count(where: { $0 == "-" }) > 1 {
            throw ValidationError("stdin can be read once: give one \"-\" only")
        }
    }

    func run() throws {
        let wanted: ObjectPrinter.Wanted = schema ? .schema : metadata ? .metadata : .events
        let items = try objects.compactMap { object in
            try ObjectPlace(object).map { place in
                CatRun.Item(shown: object, place: place, connector: try connector(for: place))
            }
        }
        MainActor.assumeIsolated {
            CatRun(items, wanted).goOn()
        }
        dispatchMain()
    }

    /// Whose credentials fetch an object; nil for one that is here.
    private func connector(for place: ObjectPlace) throws -> ConnectorSettings? {
        guard case .s3(let bucket, let key) = place else { return nil }
        let loaded = options.load()
        let found = ObjectPlace.connector(
            for: bucket, key: key, among: loaded.settings.connectors)
        guard let found else {
            try Findings.refuse(loaded)
            throw Refusal(
                "s3://\(bucket)/\(key): no connector has this bucket and a folder with this key; "
                    + "fetch it otherwise: aws s3 cp s3://\(bucket)/\(key) - | sluicectl cat -"
            ).show()
        }
        // Only what is wrong with this one is in the way.
        return try options.loadConnector(found.name.description).connector
    }
}

/// One run of the command: one object after the other, until it ends the program.
@MainActor
private final class CatRun {
    struct Item {
        var shown: String
        var place: ObjectPlace
        var connector: ConnectorSettings?
    }

    private var rest: ArraySlice<Item>
    private let wanted: ObjectPrinter.Wanted
    private lazy var transport = Transport()
    private var status = ExitCode.success
    private var fetch: ObjectFetch?

    init(_ items: [Item], _ wanted: ObjectPrinter.Wanted) {
        (rest, self.wanted) = (items[...], wanted)
    }

    func goOn() {
        while let item = rest.popFirst() {
            switch item.place {
            case .input: print(item, STDIN_FILENO)
            case .file(let path): print(item, file: path)
            case .s3(_, let key):
                if start(item, key) { return }
            }
        }
        exit(status.rawValue)
    }

    private func print(_ item: Item, file path: String) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            return refuse(item, Refusal(errorText(errno)))
        }
        print(item, descriptor)
        close(descriptor)
    }

    private func print(_ item: Item, _ descriptor: CInt) {
        var output = BufferedOutput()
        do throws(Refusal) {
            try ObjectPrinter(wanted: wanted, shown: item.shown)
                .print(ObjectBytes(descriptor: descriptor), to: &output)
        } catch {
            status = error.show()
        }
    }

    /// True where the run goes on later.
    private func start(_ item: Item, _ key: String) -> Bool {
        guard let connector = item.connector else { return false }
        do throws(Refusal) {
            let fetch = try ObjectFetch(key, of: connector, transport: transport)
            self.fetch = fetch
            fetch.start { [self] result in
                switch result {
                case .success(let descriptor): print(item, descriptor)
                case .failure(let refusal): refuse(item, refusal)
                }
                self.fetch = nil
                goOn()
            }
            return true
        } catch {
            refuse(item, error)
            return false
        }
    }

    private func refuse(_ item: Item, _ refusal: Refusal) {
        status = Refusal("\(item.shown): \(refusal.text)", refusal.status).show()
    }
}
