/// Each kind of line that the daemon writes, with the ID by which programs find it.
///
/// The IDs are promises: they never change and are never used again for something else. Each has its
/// entry in `systemd/sluice.catalog`, which `journalctl -x` shows; `MessageKindTests` compares them.
public enum MessageKind: String, Sendable, CaseIterable {
    /// The daemon is ready: connectors, backlog and spool are known.
    case started
    /// The daemon cannot run at all and ends: configuration, spool or lock.
    case startRefused
    /// The daemon was told to end.
    case stopping
    /// Another configuration is in effect.
    case reloaded
    /// A configuration with errors was refused whole; the old one goes on.
    case reloadRefused
    /// A connector's credentials and destination were tried and work.
    case connectorVerified
    /// An object is in its bucket, or several are, in one line with a count.
    case objectDelivered
    /// A file that was delivered was deleted in its bucket, since its time had come.
    case fileRemoved
    /// A file whose time has come is not deleted in its bucket: it may not be, or another object lies there.
    case fileNotRemoved
    /// S3 rejects a connector's credentials; its events wait.
    case credentialsFailing
    /// The credentials work again; what waited is being delivered.
    case credentialsRecovered
    /// S3 still rejects them: told hourly, and as the window runs out.
    case credentialsStillFailing
    /// S3 does not know the credentials of a connector that never worked; new ones take a moment.
    case credentialsPending
    /// The window gave events up: they had waited through a whole one in an episode.
    case eventsDropped
    /// The window gave events up, and they are kept on disk.
    case eventsArchived
    /// An operator gave up what was held.
    case eventsDiscarded
    /// An operator paused a connector.
    case connectorPaused
    /// A paused connector goes on.
    case connectorResumed
    /// A connector was tried at the start or after an edit, and did not authenticate.
    case connectorUnverified
    /// After a boot, a pause or a shorter window nothing is given up for a while.
    case dropsHeldOff
    /// New credentials cannot be fetched; the present ones go on while they last.
    case credentialsUnavailable
    /// S3 refuses for a reason that only a person can mend; events wait.
    case destinationMisconfigured
    /// No S3 answers: network, DNS, TLS, proxy or a server error; events wait.
    case unreachable
    /// S3 answers again.
    case reachable
    /// S3 asks for fewer requests; the connector has slowed down.
    case throttled
    /// S3's clock differs from ours; requests are signed with S3's time.
    case clockCorrected
    /// The store does not know If-None-Match; objects go without it.
    case conditionalWritesRefused
    /// An upload in parts was given up, and the bucket keeps its parts.
    case partsLeft
    /// One batch cannot be delivered as it is; it is kept, and the next one goes on.
    case batchHeld
    /// Another body lies under a batch's key: two daemons share one identity.
    case identityConflict
    /// An event file was refused whole.
    case fileQuarantined
    /// Some lines of an event file were refused; the rest went on.
    case eventsQuarantined
    /// What was refused is tried again, since an operator asked for it.
    case quarantineRetried
    /// An operator gave up what was refused.
    case quarantineDiscarded
    /// Events have members that their schema does not have, and they were left out.
    case membersIgnored
    /// The daemon may not read an event file; it stays where it is.
    case fileUnreadable
    /// An event file is still open for writing; it is taken when it is closed.
    case fileWaiting
    /// Open writers cannot be seen; a file must be still for a while instead.
    case leasesUnavailable
    /// No event file is claimed for now: disk, inodes or clock; files wait.
    case intakeWaiting
    /// Event files are claimed again.
    case intakeResumed
    /// The spool's intake met an error of the system; it is tried again.
    case intakeFailed
    /// Writing to the spool fails; what was not durable is made anew.
    case spoolFailing
    /// A file in the spool is not what was written; it is held, never guessed at.
    case spoolDamaged
    /// The spool came from a backup; event files that may have been delivered since are set aside.
    case spoolRestored
    /// Lines of this log were lost, because it did not take them.
    case linesLost

    /// What `MESSAGE_ID` says.
    public var id: MessageID {
        switch self {
        case .started: MessageID(0x13b0_9573_1ad4_41f4, 0x910a_92cf_bed5_4827)
        case .startRefused: MessageID(0x2602_6fa0_0e40_4b09, 0x9bf5_cf5f_79f0_1401)
        case .stopping: MessageID(0xa89c_cad9_ff6f_492a, 0xa2b0_a09d_4f31_7b5d)
        case .reloaded: MessageID(0xd06e_68ae_51c3_4629, 0x938f_5b08_5c66_0d60)
        case .reloadRefused: MessageID(0x8b09_23bc_6f5e_4a2c, 0xba2e_5e04_414e_e998)
        case .connectorVerified: MessageID(0xf11a_3edd_c96b_4a5b, 0x9ee6_513e_a49b_a564)
        case .objectDelivered: MessageID(0x99f1_507b_5e60_4f21, 0x806e_f3e8_859b_2a8d)
        case .fileRemoved: MessageID(0x741f_1ef6_b327_42b3, 0x8dec_cde9_af0b_1ca2)
        case .fileNotRemoved: MessageID(0x515a_256a_f1d6_4d5f, 0xa8a3_8799_eda5_b49d)
        case .credentialsFailing: MessageID(0x1c91_5115_4088_4dca, 0xa8bc_0435_51b1_a176)
        case .credentialsRecovered: MessageID(0x9f8d_3b0a_aef6_489c, 0x94a4_f621_b405_6da2)
        case .credentialsStillFailing: MessageID(0x4a4e_0df1_ce9f_47c4, 0x991f_c5ca_9917_ef23)
        case .credentialsPending: MessageID(0xf017_3d39_255c_445d, 0xb2dc_27e5_95c6_814d)
        case .eventsDropped: MessageID(0xafce_88b8_a492_4d55, 0x9d83_d58c_1d13_98f4)
        case .eventsArchived: MessageID(0xa84b_6687_61ba_4c2f, 0xb0c5_cd4b_d443_cfe8)
        case .eventsDiscarded: MessageID(0x5502_33cb_fde5_45e1, 0xb596_0ba2_bdab_ec0e)
        case .connectorPaused: MessageID(0x375f_a1b3_d2c7_4023, 0xbb22_6c91_d3c5_6730)
        case .connectorResumed: MessageID(0xd9e3_ceac_57c7_4b1e, 0x8227_c389_9261_d83d)
        case .connectorUnverified: MessageID(0x5f05_b9fa_0a7a_4e36, 0xb9f5_9120_bfb8_f43c)
        case .dropsHeldOff: MessageID(0x5575_0b6b_231b_4f97, 0xaeb2_5365_b7c8_689c)
        case .credentialsUnavailable: MessageID(0x8796_5843_b444_44f4, 0x97ea_c5bb_5ee9_09fe)
        case .destinationMisconfigured: MessageID(0x1fc0_a907_09da_4337, 0xb9b9_16ba_5e19_3b1d)
        case .unreachable: MessageID(0x5f2b_cb6d_c5eb_4854, 0x8c03_cf8b_a8ed_8f04)
        case .reachable: MessageID(0x883b_6038_3489_499c, 0x9e5e_0040_6d0e_5d83)
        case .throttled: MessageID(0xbf82_614d_9b4a_4815, 0xb0c3_d585_ea63_2fcb)
        case .clockCorrected: MessageID(0xbef9_75a7_d465_414c, 0x9519_bae5_a643_e465)
        case .conditionalWritesRefused: MessageID(0x9941_48aa_34b4_4c1e, 0xa9ff_16b5_93b0_acb4)
        case .partsLeft: MessageID(0xa37b_0888_6da2_4802, 0xb41d_bf0a_ea88_5a21)
        case .batchHeld: MessageID(0xed8d_4494_6139_419a, 0xa3f5_208c_03b2_7e88)
        case .identityConflict: MessageID(0x7b82_412c_3e0c_41f8, 0x9cea_1443_5018_3ce3)
        case .fileQuarantined: MessageID(0xc5f7_3eaf_8612_44f8, 0x891a_a9ec_7071_ba54)
        case .eventsQuarantined: MessageID(0x6bd2_3119_b69b_4577, 0xb5de_bda2_ce54_b2c6)
        case .quarantineRetried: MessageID(0x39f1_339e_0792_4df7, 0xa977_732f_38d1_0fd9)
        case .quarantineDiscarded: MessageID(0xf64a_b8cd_9255_40b4, 0xb3e4_ce4e_af75_10dd)
        case .membersIgnored: MessageID(0x3d64_08b1_7f52_4e0c, 0x9b1e_c1f7_60ad_52e9)
        case .fileUnreadable: MessageID(0x69b6_1d0a_c7d4_4cf9, 0xa00a_1573_3117_809e)
        case .fileWaiting: MessageID(0x0820_c151_0851_4be8, 0xabb3_88d7_fc5d_f85d)
        case .leasesUnavailable: MessageID(0x87b1_e379_2c93_48c3, 0xacd6_9230_2712_f407)
        case .intakeWaiting: MessageID(0x5a2a_7017_62af_4d32, 0x86dd_28e6_ca39_c630)
        case .intakeResumed: MessageID(0x764a_50cc_8484_4dce, 0x809f_ee05_cb0c_476a)
        case .intakeFailed: MessageID(0x8caa_5dfd_114d_43e9, 0xb545_46e2_229c_8b15)
        case .spoolFailing: MessageID(0xa365_f310_34c1_4766, 0xa718_63c6_c79a_26b5)
        case .spoolDamaged: MessageID(0x2705_9b44_689b_43ca, 0xb1bf_5152_0050_e46a)
        case .spoolRestored: MessageID(0x1ade_efe0_3a46_47e6, 0x800b_5534_0167_0273)
        case .linesLost: MessageID(0x17ab_7ae4_5870_4f21, 0x867d_2514_1b6e_c9ed)
        }
    }

    /// How grave a line of this kind is, unless its sender says otherwise.
    public var priority: Priority {
        switch self {
        case .startRefused, .eventsDropped, .eventsArchived: .critical
        case .reloadRefused, .credentialsFailing, .credentialsStillFailing, .batchHeld,
            .identityConflict, .intakeWaiting,
            .intakeFailed, .spoolFailing, .spoolDamaged:
            .error
        case .destinationMisconfigured, .unreachable, .throttled, .fileQuarantined,
            .eventsQuarantined, .fileUnreadable, .linesLost, .eventsDiscarded, .connectorUnverified,
            .dropsHeldOff, .credentialsUnavailable, .spoolRestored, .quarantineDiscarded,
            .fileNotRemoved:
            .warning
        case .started, .stopping, .reloaded, .credentialsRecovered, .reachable, .clockCorrected,
            .conditionalWritesRefused, .partsLeft, .leasesUnavailable, .intakeResumed,
            .credentialsPending,
            .connectorPaused, .connectorResumed, .membersIgnored, .quarantineRetried:
            .notice
        case .connectorVerified, .objectDelivered, .fileRemoved, .fileWaiting: .info
        }
    }
}
