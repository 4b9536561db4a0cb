// Shows that the thread sanitizer sees what it has to, and nothing else.
//
// Eight threads count under one lock, contended enough to take its slow paths. With an argument they also write to a
// variable that no lock guards.
import Dispatch
import Synchronization

final class Shared: Sendable {
    let guarded = Mutex<[Int]>([])
    // The race that has to be reported.
    nonisolated(unsafe) var unguarded = 0
}

let shared = Shared()
let isRacing = CommandLine.arguments.count > 1
let group = DispatchGroup()
for _ in 0..<8 {
    DispatchQueue.global().async(group: group) {
        for number in 0..<20_000 {
            shared.guarded.withLock { numbers in
                numbers.append(number)
                if numbers.count > 100 { numbers.removeAll() }
            }
            if isRacing { shared.unguarded += 1 }
        }
    }
}
group.wait()
print("counted to \(shared.guarded.withLock { $0.count })")
