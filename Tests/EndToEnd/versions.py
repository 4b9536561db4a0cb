"""Every body that the keys of a bucket ever had: what was overwritten shows."""


def keep_versions(destination):
    destination.s3.client("s3").put_bucket_versioning(
        Bucket=destination.bucket, VersioningConfiguration={"Status": "Enabled"})
    return destination


def bodies_of_keys(destination) -> dict[str, list[bytes]]:
    """By key, the body of each version. Nothing may have been deleted."""
    s3 = destination.s3.client("s3")
    bodies: dict[str, list[bytes]] = {}
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=destination.bucket):
        assert not page.get("DeleteMarkers")
        for version in page.get("Versions", []):
            answer = s3.get_object(
                Bucket=destination.bucket, Key=version["Key"], VersionId=version["VersionId"])
            bodies.setdefault(version["Key"], []).append(answer["Body"].read())
    return bodies
