/// The candidate that a misspelt word most likely stands for; nil where none is near.
///
/// Near means at most one edit for every three characters; ties go to the first in alphabetical
/// order.
func mostSimilar(to word: String, among candidates: some Sequence<String>) -> String? {
    let limit = max(1, word.utf8.count / 3)
    var best: (distance: Int, candidate: String)?
    for candidate in candidates.sorted() {
        let distance = editDistance(Array(word.utf8), Array(candidate.utf8))
        if distance <= limit, distance < best?.distance ?? .max { best = (distance, candidate) }
    }
    return best?.candidate
}

/// The least number of insertions, deletions, replacements and swaps of neighbours between two
/// words.
private func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var beforePrevious: [Int] = []
    var previous = Array(0...right.count)
    for i in left.indices {
        var current = [i + 1]
        for j in right.indices {
            var least = min(previous[j + 1] + 1, current[j] + 1)
            least = min(least, previous[j] + (left[i] == right[j] ? 0 : 1))
            if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
                least = min(least, beforePrevious[j - 1] + 1)
            }
            current.append(least)
        }
        (beforePrevious, previous) = (previous, current)
    }
    return previous[right.count]
}
