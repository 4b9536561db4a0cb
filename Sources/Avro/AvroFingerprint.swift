/// CRC-64-AVRO, a Rabin fingerprint of 64 bits.
///
/// Source: the Avro specification, "Schema Fingerprints".
public enum AvroFingerprint {
    /// The fingerprint of no bytes, and the polynomial.
    private static let empty: UInt64 = 0xc15d_213a_a4d7_a795

    private static let table: [UInt64] = (0..<256).map { byte in
        var value = UInt64(byte)
        for _ in 0..<8 {
            value = value & 1 == 0 ? value >> 1 : value >> 1 ^ empty
        }
        return value
    }

    public static func of(_ bytes: some Sequence<UInt8>) -> UInt64 {
        bytes.reduce(empty) { value, byte in
            value >> 8 ^ table[Int(UInt8(truncatingIfNeeded: value) ^ byte)]
        }
    }
}
