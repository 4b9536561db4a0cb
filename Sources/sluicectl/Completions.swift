import ArgumentParser
import Configuration
import Files
import Model

/// What a shell offers where somebody types; `sluicectl --generate-completion-script` puts it into scripts.
enum Completions {
    /// Names of connectors, from the configuration that the command line names.
    static let connectors = CompletionKind.custom { words, _, typed in
        names(words).filter { $0.hasPrefix(typed) }
    }

    /// Likewise, and files of connectors that need not be installed.
    static let connectorsAndFiles = CompletionKind.custom { words, _, typed in
        names(words).filter { $0.hasPrefix(typed) } + files(typed)
    }

    static let configurations = CompletionKind.file(extensions: ["toml"])

    static func names(_ words: [String]) -> [String] {
        let outline = ConfigurationLoader.loadOutline(file: file(words))
        return (outline.connectors ?? []).map(\.description)
    }

    /// What stands behind `--config`, as far as a shell's words say it.
    static func file(_ words: [String]) -> String {
        var file = ConfigurationOptions.defaultFile
        for (index, word) in words.enumerated() {
            if word == "--config", index + 1 < words.count {
                file = words[index + 1]
            } else if word.hasPrefix("--config=") {
                file = String(word.dropFirst("--config=".count))
            }
        }
        return unquoted(file)
    }

    /// Shells hand words over as they were typed.
    private static func unquoted(_ word: String) -> String {
        var (text, quote, isEscaped) = ("", Character?.none, false)
        for character in word {
            if isEscaped {
                text.append(character)
                isEscaped = false
            } else if character == "\\", quote != "'" {
                isEscaped = true
            } else if character == quote {
                quote = nil
            } else if quote == nil, character == "'" || character == "\"" {
                quote = character
            } else {
                text.append(character)
            }
        }
        return text
    }

    /// Directories, and files that end in `.toml`.
    private static func files(_ typed: String) -> [String] {
        let slash = typed.lastIndex(of: "/")
        let directory = slash.map { String(typed[...$0]) } ?? ""
        guard let root = try? RealFileSystem(root: directory.isEmpty ? "." : directory),
            let names = try? root.names(in: ".")
        else { return [] }
        return names.sorted().compactMap { name in
            let path = directory + name
            guard path.hasPrefix(typed), !name.hasPrefix(".") else { return nil }
            if name.hasSuffix(".toml") { return path }
            let isDirectory = (try? root.status(name))??.kind == .directory
            return isDirectory ? path + "/" : nil
        }
    }
}
