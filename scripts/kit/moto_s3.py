#!/usr/bin/env python3
"""Runs moto's server with two corrections: it checks signatures and access keys as AWS does.

    moto_s3.py [options of moto_server]

An access key that was switched off (`aws iam update-access-key --status Inactive`) is refused like one that does not
exist, InvalidAccessKeyId. moto (5.2.1) keeps the status and does not look at it.

S3 verifies a signature over the path as it came, with everything but A-Z, a-z, 0-9, "-", ".", "_", "~"
and "/" percent-encoded. moto (5.2.1) verifies it over a path that the web server has decoded and put
together again, in which "=" and "+" stand as they are: it refuses every correct signature of a key in
the Currents layout ("event_type=..."), its own botocore's too.
"""

from urllib.parse import quote, unquote

import flask
import moto.server
from moto.iam.access_control import CreateAccessKeyFailure, IAMUserAccessKey, S3IAMRequest

_create_aws_request = S3IAMRequest._create_aws_request


def create_aws_request(self: S3IAMRequest):
    path, _, query = flask.request.environ["RAW_URI"].partition("?")
    self._path = quote(unquote(path), safe="/-._~") + (f"?{query}" if query else "")
    return _create_aws_request(self)


S3IAMRequest._create_aws_request = create_aws_request

_find_access_key = IAMUserAccessKey.__init__


def find_access_key(self: IAMUserAccessKey, *arguments, **named) -> None:
    _find_access_key(self, *arguments, **named)
    for key in self.backend.list_access_keys(self._owner_user_name):
        if key.access_key_id == self._access_key_id and key.status != "Active":
            raise CreateAccessKeyFailure(reason="InvalidId")


IAMUserAccessKey.__init__ = find_access_key

if __name__ == "__main__":
    moto.server.main()
