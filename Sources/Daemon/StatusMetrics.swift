import Files
import Model
import Spool

/// What `GET /metrics` says: the figures of the status document under Prometheus' names.
///
/// Names are promises: docs/metrics.md lists them, and the alert rules are written for them; a test compares the three.
nonisolated struct StatusMetrics: Sendable {
    var status: StatusDocument
    var process: ProcessFigures

    var text: String {
        var text = MetricsText()
        for family in daemon + spool + connectors + events + losses { text.add(family) }
        return text.text
    }

    // MARK: The process

    private var daemon: [MetricsText.Family] {
        var build = gauge("sluice_build_info", "The version of sluiced, as a label; always 1.")
        build.samples = [
            MetricsText.Sample(labels: [("version", sluiceVersion)], value: .integer(1))
        ]
        return [
            build,
            one(
                gauge("process_resident_memory_bytes", "Memory that the process has in RAM."),
                process.residentBytes),
            MetricsText.Family(
                name: "process_cpu_seconds_total", kind: .counter,
                help: "User and system time that the process has used.",
                samples: [MetricsText.Sample(value: .decimal(process.cpuSeconds))]),
            one(gauge("process_open_fds", "Open file descriptors."), process.openDescriptors),
            one(gauge("process_max_fds", "File descriptors allowed."), process.mostDescriptors),
            one(
                gauge("process_start_time_seconds", "When the process started, in Unix time."),
                Int(status.started.unixSeconds)),
        ]
    }

    // MARK: The spool

    private var spool: [MetricsText.Family] {
        let spool = status.spool
        var intake = gauge(
            "sluice_spool_intake_state", "1 for the state that intake is in, 0 for the others.")
        intake.samples = IntakeState.words.map { word in
            MetricsText.Sample(
                labels: [("state", word)], value: .integer(word == spool.intake.word ? 1 : 0))
        }
        var ignored = counter(
            "sluice_spool_ignored_members_total",
            "Members of events left out since the start, because the schema does not have them.")
        ignored.samples = spool.ignoredMembers.sorted { $0.key < $1.key }.map { type, count in
            MetricsText.Sample(labels: [("event_type", type)], value: .integer(count))
        }
        return [
            intake,
            one(
                gauge("sluice_spool_free_bytes", "Free space of the spool's file system."),
                spool.space.map { Int(clamping: $0.freeBytes) }),
            one(
                gauge("sluice_spool_size_bytes", "Size of the spool's file system."),
                spool.space.map { Int(clamping: $0.totalBytes) }),
            one(
                gauge(
                    "sluice_spool_minimum_free_bytes", "Free space below which event files wait."),
                spool.minimumFreeBytes.map { Int(clamping: $0) }),
            one(
                gauge("sluice_spool_active_files", "Event files that are being worked on."),
                spool.activity.activeFiles),
            one(
                gauge("sluice_spool_active_bytes", "Size of the event files being worked on."),
                Int(clamping: spool.activity.activeBytes)),
            one(
                gauge("sluice_spool_written_files", "Event files that somebody still writes into."),
                spool.activity.writtenFiles),
            one(
                gauge("sluice_spool_unsealed_batches", "Batches that are open or not yet sealed."),
                spool.activity.unsealedBatches),
            one(
                gauge("sluice_spool_quarantined_files", "Files in quarantine/."), spool.quarantined),
            ignored,
        ]
    }

    // MARK: Connectors

    /// Those of the configuration first, then those that have left it and still hold something.
    private var all: [ConnectorStatus] { status.connectors + status.orphans }

    private var connectors: [MetricsText.Family] {
        var states = gauge(
            "sluice_connector_state", "1 for the state that the connector is in, 0 for the others.")
        states.samples = status.connectors.flatMap { connector in
            ConnectorStatus.State.allCases.map { state in
                MetricsText.Sample(
                    labels: [("connector", connector.name.description), ("state", state.word)],
                    value: .integer(state == connector.state ? 1 : 0))
            }
        }
        var failures = counter(
            "sluice_connector_failed_attempts_total",
            "Attempts to deliver that failed since the start, by the code of S3's answer.")
        failures.samples = all.flatMap { connector in
            connector.failures.byCode.sorted { $0.key < $1.key }.map { code, count in
                MetricsText.Sample(
                    labels: [("connector", connector.name.description), ("code", code)],
                    value: .integer(count))
            }
        }
        return [
            states,
            each(
                gauge(
                    "sluice_connector_configured",
                    "1 for a connector of the configuration, 0 for one that has left it and still "
                        + "holds something.")
            ) { $0.place == nil ? 0 : 1 },
            each(
                gauge(
                    "sluice_connector_expire_after_seconds",
                    "The window: for how long of rejected credentials an event may wait.")
            ) { $0.place == nil ? nil : Int($0.window.components.seconds) },
            failures,
            each(
                gauge(
                    "sluice_connector_faulty_batches",
                    "Held batches that are at fault themselves and wait for somebody.")
            ) { $0.atFault.objects },
            each(
                gauge(
                    "sluice_connector_conflicting_batches",
                    "Of these, batches under whose key another object lies.")
            ) { $0.conflicts },
        ]
    }

    private var events: [MetricsText.Family] {
        [
            each(
                gauge("sluice_connector_held_objects", "Sealed objects that wait to be delivered.")
            ) { $0.held.objects },
            each(gauge("sluice_connector_held_events", "Events in objects that wait.")) {
                $0.held.events
            },
            each(gauge("sluice_connector_held_bytes", "Size of the objects that wait.")) {
                Int(clamping: $0.held.bytes)
            },
            each(
                gauge(
                    "sluice_connector_held_limit_bytes", "max_held, where the connector has one.")
            ) { $0.place?.maxHeld.map { Int(clamping: $0.bytes) } },
            each(
                gauge(
                    "sluice_connector_files_waiting",
                    "1 while files of the connector's own directory wait for max_held, else 0.")
            ) { $0.filesWait ? 1 : 0 },
            each(
                gauge(
                    "sluice_connector_oldest_held_age_seconds",
                    "How long ago the oldest of what waits was accepted; 0 where nothing waits.")
            ) { max(0, $0.oldest.map { Int(status.now.unixSeconds - $0.unixSeconds) } ?? 0) },
            each(
                counter("sluice_connector_delivered_objects_total", "Objects since the start.")
            ) { $0.delivered.objects },
            each(counter("sluice_connector_delivered_events_total", "Events since the start.")) {
                $0.delivered.events
            },
            each(counter("sluice_connector_delivered_bytes_total", "Bytes since the start.")) {
                Int(clamping: $0.delivered.bytes)
            },
            each(
                gauge(
                    "sluice_connector_last_delivery_timestamp_seconds",
                    "When the newest object was delivered, in Unix time; none before the first.")
            ) { ($0.lastObject?.time.unixSeconds).map { Int($0) } },
        ]
    }

    // MARK: What may be lost, and what was

    private var losses: [MetricsText.Family] {
        [
            each(
                gauge(
                    "sluice_connector_at_risk_events",
                    "Events that the window gives up unless the credentials work before.")
            ) { $0.atRisk.events },
            each(
                gauge("sluice_connector_at_risk_bytes", "Size of the objects that they are in.")
            ) { Int(clamping: $0.atRisk.bytes) },
            each(
                gauge(
                    "sluice_connector_time_to_first_drop_seconds",
                    "In how long the first of them are dropped, or archived; none where nothing "
                        + "is at risk.")
            ) { ($0.timeToFirstDrop?.components.seconds).map { Int($0) } },
            each(
                counter(
                    "sluice_connector_dropped_events_total",
                    "Events that the window gave up since the spool was made.")
            ) { Int(clamping: $0.losses.dropped.events) },
            each(
                counter(
                    "sluice_connector_archived_events_total",
                    "Events that the window gave up into the archive since the spool was made.")
            ) { Int(clamping: $0.losses.archived.events) },
            each(
                counter(
                    "sluice_connector_discarded_events_total",
                    "Events that somebody gave up since the spool was made.")
            ) { Int(clamping: $0.losses.givenUpByHand.events) },
            each(
                gauge("sluice_connector_archive_events", "Events in the archive, expired/.")
            ) { $0.inArchive.events },
            each(
                gauge("sluice_connector_archive_bytes", "Size of the objects in the archive.")
            ) { Int(clamping: $0.inArchive.bytes) },
        ]
    }

    // MARK: Making families

    private func gauge(_ name: String, _ help: String) -> MetricsText.Family {
        MetricsText.Family(name: name, kind: .gauge, help: help)
    }

    private func counter(_ name: String, _ help: String) -> MetricsText.Family {
        MetricsText.Family(name: name, kind: .counter, help: help)
    }

    /// With one sample and no labels; none where the figure is not known.
    private func one(_ family: MetricsText.Family, _ value: Int?) -> MetricsText.Family {
        var family = family
        family.samples = value.map { [MetricsText.Sample(value: .integer($0))] } ?? []
        return family
    }

    /// With a sample for each connector that has the figure.
    private func each(
        _ family: MetricsText.Family, _ figure: (ConnectorStatus) -> Int?
    ) -> MetricsText.Family {
        var family = family
        family.samples = all.compactMap { connector in
            figure(connector).map {
                MetricsText.Sample(
                    labels: [("connector", connector.name.description)], value: .integer($0))
            }
        }
        return family
    }
}
