import Configuration
import Dispatch
import Model
import Spool
import Systemd

/// Putting another configuration into effect.
extension Daemon {
    func reload() {
        guard !isStopping else { return }
        Notify.send(.reloading)
        let file = configurationFile
        lanes.reading.async { [weak self] in
            let loaded = ConfigurationLoader.load(
                file: file, environment: ConfigurationLoader.processEnvironment())
            onLoop { self?.apply(loaded) }
        }
    }

    func apply(_ loaded: LoadedConfiguration) {
        guard !isStopping else { return }
        defer { Notify.send(.ready) }
        guard loaded.problems.isEmpty else {
            for problem in loaded.problems {
                reporter.say(
                    .reloadRefused, "configuration refused, the old one goes on: \(problem)",
                    [.file(problem.file)])
            }
            return
        }
        for warning in loaded.warnings {
            reporter.say(.destinationMisconfigured, "\(warning)", [.file(warning.file)])
        }
        var next = loaded.settings
        if next.spool.directory != settings.spool.directory || next.http != settings.http
            || next.spool.minimumFree != settings.spool.minimumFree
        {
            reporter.say(
                .reloaded,
                "changes of [spool] directory, minimum_free and of [http] take effect at "
                    + "the next start", priority: .warning)
            next.spool.directory = settings.spool.directory
            next.spool.minimumFree = settings.spool.minimumFree
            next.http = settings.http
        }
        settings = next
        schemas = loaded.schemas
        reporter.journal.threshold = next.log.level.priority
        configureOutboxes()
        spool.change(to: Self.routing(settings, schemas, identity))
        // What was named and left may have been mended.
        spool.scanThoroughly()
        reporter.say(
            .reloaded,
            "configuration reloaded: \(count(settings.connectors.count, "connector"))")
        changed()
    }
}
