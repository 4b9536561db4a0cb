/// A whole number with commas between thousands, as people read it: `15,000`.
public func grouped(_ number: some BinaryInteger) -> String {
    let digits = String(number.magnitude)
    var text = number < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
        if index > 0, (digits.utf8.count - index) % 3 == 0 { text += "," }
        text.append(digit)
    }
    return text
}
