public import Curl
internal import Delivery
internal import Model
internal import Signing

/// The operations that delivering needs. Each ends with one reply, later, on the main actor.
extension S3Client {
    /// Stores an object; where conditional writes are on, only if its key is free.
    @discardableResult
    public func putObject(
        _ object: ObjectUpload, body: any UploadBody, completion: @escaping (S3Reply) -> Void
    ) -> S3Call {
        let features = featuresInUse
        let draft = Draft(
            operation: .putObject, method: .put, key: object.key,
            headers: object.headers(settings, features: features), features: features,
            payload: object.payload.map { .sha256($0) } ?? .unsigned, body: body)
        return send(draft, completion: completion)
    }

    /// What the connector wants and the store knows, as far as that is known.
    var featuresInUse: Set<OptionalFeature> {
        var features: Set<OptionalFeature> = []
        if settings.storesConditionally { features.insert(.conditionalWrites) }
        if settings.checksum == .whenSupported { features.insert(.checksum) }
        return features.subtracting(unsupported)
    }

    /// Asks for the length and the metadata of an object.
    @discardableResult
    public func headObject(_ key: String, completion: @escaping (S3Reply) -> Void) -> S3Call {
        send(Draft(operation: .headObject, method: .head, key: key), completion: completion)
    }

    /// Gets an object: its bytes go to `sink` as they come, and may be incomplete unless the reply is 2xx.
    ///
    /// - Parameter most: of a longer object the beginning comes: more than this, then no more.
    @discardableResult
    public func getObject(
        _ key: String, most: Int = .max, sink: @escaping (UnsafeRawBufferPointer) -> Void,
        completion: @escaping (S3Reply) -> Void
    ) -> S3Call {
        let draft = Draft(
            operation: .getObject, method: .get, key: key, sink: sink, mostForSink: most)
        return send(draft, completion: completion)
    }

    /// Removes an object.
    ///
    /// - Parameter entityTag: only if it still has this ETag (412 otherwise); where the store knows such conditions,
    ///   which the reply's attempt tells.
    @discardableResult
    public func deleteObject(
        _ key: String, ifMatch entityTag: String? = nil, completion: @escaping (S3Reply) -> Void
    ) -> S3Call {
        var draft = Draft(operation: .deleteObject, method: .delete, key: key)
        if let entityTag, !unsupported.contains(.conditionalDeletes) {
            draft.headers = [Header("if-match", entityTag)]
            draft.features = [.conditionalDeletes]
        }
        return send(draft, completion: completion)
    }

    /// Asks for the bucket's region: it is in the reply's `location`.
    @discardableResult
    public func getBucketLocation(completion: @escaping (S3Reply) -> Void) -> S3Call {
        let call = S3Call()
        lookUpRegion(call: call, completion: completion)
        return call
    }

    /// Asks whether keys with a prefix may be listed; at most one is.
    @discardableResult
    public func listBucket(
        prefix: String, completion: @escaping (S3Reply) -> Void
    ) -> S3Call {
        let query = [
            QueryItem("list-type", "2"), QueryItem("max-keys", "1"), QueryItem("prefix", prefix),
        ]
        let draft = Draft(operation: .listBucket, method: .get, query: query)
        return send(draft, completion: completion)
    }
}
