internal import Glibc

/// Reads the numbers of an event: exact integers, and correctly rounded doubles.
enum EventNumber {
    /// The integer that a JSON number stands for: `1`, `-0`, `1.0`, `12e2`; nil where it is none, or needs more than 64
    /// bits.
    @inline(__always)
    static func integer(_ text: UnsafePointer<UInt8>) -> Int? {
        var at = text
        let isNegative = at.pointee == UInt8(ascii: "-")
        if isNegative { at += 1 }
        let digits = at
        var value = 0
        while at.pointee &- UInt8(ascii: "0") < 10 {
            value = value &* 10 &+ Int(at.pointee &- UInt8(ascii: "0"))
            at += 1
        }
        // Eighteen digits fit.
        let isWhole = at.pointee != UInt8(ascii: ".") && at.pointee | 0x20 != UInt8(ascii: "e")
        if isWhole, at - digits <= 18 {
            return isNegative ? -value : value
        }
        return exactInteger(digits, isNegative)
    }

    /// Reads what stands behind the sign, with fraction and exponent, and never by way of a Double.
    @inline(never)
    private static func exactInteger(_ text: UnsafePointer<UInt8>, _ isNegative: Bool) -> Int? {
        var at = text
        // The digits up to the last that is not zero, and the zeros after it.
        var value: UInt64 = 0
        var zeros = 0
        var fractionDigits = 0
        var isFraction = false
        while true {
            if at.pointee == UInt8(ascii: ".") {
                isFraction = true
                at += 1
            }
            let digit = at.pointee &- UInt8(ascii: "0")
            if digit > 9 { break }
            at += 1
            if isFraction { fractionDigits += 1 }
            if digit == 0 {
                if value != 0 { zeros += 1 }
                continue
            }
            // So many digits are too large an integer or, with a fraction or an exponent to shorten them, none.
            guard scale(&value, by: zeros + 1, adding: UInt64(digit)) else { return nil }
            zeros = 0
        }
        if value == 0 { return 0 }
        let power = zeros - fractionDigits + exponent(at)
        guard power >= 0, scale(&value, by: power, adding: 0) else { return nil }
        guard value <= UInt64(Int.max) + (isNegative ? 1 : 0) else { return nil }
        return isNegative ? Int(truncatingIfNeeded: 0 &- value) : Int(value)
    }

    /// Multiplies by a power of ten and adds a digit; false where that needs more than 64 bits.
    private static func scale(_ value: inout UInt64, by power: Int, adding digit: UInt64) -> Bool {
        if value == 0 {
            value = digit
            return true
        }
        guard power < 20 else { return false }
        for _ in 0..<power {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            if overflow { return false }
            value = product
        }
        let (sum, overflow) = value.addingReportingOverflow(digit)
        value = sum
        return !overflow
    }

    /// The exponent at `at`, 0 where none stands; no larger than ten times what the longest event can make up for.
    private static func exponent(_ start: UnsafePointer<UInt8>) -> Int {
        var at = start
        guard at.pointee | 0x20 == UInt8(ascii: "e") else { return 0 }
        at += 1
        let isNegative = at.pointee == UInt8(ascii: "-")
        if isNegative || at.pointee == UInt8(ascii: "+") { at += 1 }
        var value = 0
        while at.pointee &- UInt8(ascii: "0") < 10 {
            value = min(value * 10 + Int(at.pointee - UInt8(ascii: "0")), 10_000_000)
            at += 1
        }
        return isNegative ? -value : value
    }

    /// A JSON number, or the name of a value that is none; nil where it is too large, or neither.
    @inline(__always)
    static func double(_ text: UnsafePointer<UInt8>, _ count: Int) -> Double? {
        if text.pointee == UInt8(ascii: "\"") { return named(text, count) }
        var at = text
        let isNegative = at.pointee == UInt8(ascii: "-")
        if isNegative { at += 1 }
        let start = at
        var digits: UInt64 = 0
        while at.pointee &- UInt8(ascii: "0") < 10 {
            digits = digits &* 10 &+ UInt64(at.pointee &- UInt8(ascii: "0"))
            at += 1
        }
        var power = 0
        if at.pointee == UInt8(ascii: ".") {
            at += 1
            let fraction = at
            while at.pointee &- UInt8(ascii: "0") < 10 {
                digits = digits &* 10 &+ UInt64(at.pointee &- UInt8(ascii: "0"))
                at += 1
            }
            power = fraction - at
        }
        let length = at - start
        power += exponent(at)
        // Fifteen digits and their point are exact as a Double, and so are the powers of ten up to 22: one rounding.
        guard length <= 16, power >= -22, power <= 22, digits < 1 << 53 else {
            return rounded(text)
        }
        let exact = Double(digits)
        let value = power < 0 ? exact / powers[-power] : exact * powers[power]
        return isNegative ? -value : value
    }

    /// Reads as strtod(3) does, which rounds correctly; a number ends at a byte that is no part of it.
    ///
    /// The point is the decimal point in the C locale, which is a program's until it chooses another.
    @inline(never)
    private static func rounded(_ text: UnsafePointer<UInt8>) -> Double? {
        let value = UnsafeRawPointer(text).withMemoryRebound(to: CChar.self, capacity: 1) {
            strtod($0, nil)
        }
        return value.isFinite ? value : nil
    }

    private static func named(_ text: UnsafePointer<UInt8>, _ count: Int) -> Double? {
        let bytes = UnsafeBufferPointer(start: text, count: min(count, 12))
        return switch String(decoding: bytes, as: UTF8.self) {
        case #""NaN""#: .nan
        case #""Infinity""#, #""INF""#: .infinity
        case #""-Infinity""#, #""-INF""#: -.infinity
        default: nil
        }
    }

    // Written once, then read only; a static of fixed size is no allocation.
    private static let powers: InlineArray<23, Double> = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
        1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ]
}
