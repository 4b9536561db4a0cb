import Avro
import Glibc

/// The encoders of a directory of schemas, found by the bytes of an event type.
struct TypeEncoders {
    private var types: [(name: [UInt8], encoder: EventEncoder)] = []

    init(directory path: String) {
        guard let directory = opendir(path) else { fail("\(path) cannot be opened") }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { name in
                name.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard name.hasSuffix(".avsc") else { continue }
            do throws(SchemaFault) {
                let schema = try AvroSchema(json: contents("\(path)/\(name)"))
                types.append((Array(name.utf8.dropLast(5)), EventEncoder(schema)))
            } catch {
                fail("\(path)/\(name): \(error)")
            }
        }
    }

    var named: [(name: String, encoder: EventEncoder)] {
        types.map { (String(decoding: $0.name, as: UTF8.self), $0.encoder) }
    }

    /// A benchmark has a handful of types, so looking at each is nothing beside encoding.
    func find(_ name: UnsafePointer<UInt8>, count: Int) -> EventEncoder? {
        for type in types where type.name.count == count {
            if memcmp(type.name, name, count) == 0 { return type.encoder }
        }
        return nil
    }
}
