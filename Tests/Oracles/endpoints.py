"""Resolves the endpoints of S3 and STS with botocore's rule sets, which know the partitions of AWS.

    endpoints.py

Prints one line a combination, of fields separated by tabs: service region dual-stack fips origin. The
two in the middle are "yes" or "no". Combinations that botocore refuses are left out.
"""

import itertools

import botocore.session
from botocore.endpoint_provider import EndpointProvider
from botocore.exceptions import EndpointProviderError

REGIONS = ["eu-west-1", "ap-southeast-3", "us-west-2", "us-east-2", "ca-central-1", "cn-north-1",
           "cn-northwest-1", "us-gov-west-1", "us-gov-east-1", "us-iso-east-1", "us-isob-east-1",
           "eusc-de-east-1"]
"""Not us-east-1, where botocore still knows the names from before there were regions."""


def main():
    loader = botocore.session.get_session().get_component("data_loader")
    partitions = loader.load_data("partitions")
    for service in ("s3", "sts"):
        rules = EndpointProvider(loader.load_service_model(service, "endpoint-rule-set-1"), partitions)
        for region, dual_stack, fips in itertools.product(REGIONS, (False, True), (False, True)):
            parameters = {"Region": region, "UseDualStack": dual_stack, "UseFIPS": fips}
            if service == "s3":
                parameters["Bucket"] = "events"
            try:
                url = rules.resolve_endpoint(**parameters).url
            except EndpointProviderError:
                continue
            print(service, region, *("yes" if flag else "no" for flag in (dual_stack, fips)), url,
                  sep="\t")


main()
