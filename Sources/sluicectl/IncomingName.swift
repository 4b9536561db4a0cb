import Model

/// What something is to be called in the spool.
enum IncomingName: Equatable {
    /// Any name that intake takes for an event file.
    case events(EventFileName)
    /// This one alone: the object is called so.
    case export(ExportName)

    /// nil: there are no more names for it.
    func text(number: Int) -> String? {
        switch self {
        case .events(let name): name.text(number: number)
        case .export(let name): number == 0 ? name.fileName : nil
        }
    }

    /// What it is called until it is whole; another number, another name.
    func hidden(number: Int, process: Int32) -> String {
        switch self {
        case .events(let name): ".\(name.text(number: number)).\(process).tmp"
        case .export(let name):
            ".\(name.fileName).\(process)\(number == 0 ? "" : "-\(number)").tmp"
        }
    }
}
