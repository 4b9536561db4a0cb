#!/usr/bin/env python3
"""Runs moto's server with one correction: it checks the signatures of keys with "=" or "+" as S3 does.

    moto_s3.py [options of moto_server]

S3 verifies a signature over the path as it came, with everything but A-Z, a-z, 0-9, "-", ".", "_", "~"
and "/" percent-encoded. moto (5.2.1) verifies it over a path that the web server has decoded and put
together again, in which "=" and "+" stand as they are: it refuses every correct signature of a key in
the Currents layout ("event_type=..."), its own botocore's too.
"""

from urllib.parse import quote, unquote

import flask
import moto.server
from moto.iam.access_control import S3IAMRequest

_create_aws_request = S3IAMRequest._create_aws_request


def create_aws_request(self: S3IAMRequest):
    path, _, query = flask.request.environ["RAW_URI"].partition("?")
    self._path = quote(unquote(path), safe="/-._~") + (f"?{query}" if query else "")
    return _create_aws_request(self)


S3IAMRequest._create_aws_request = create_aws_request

if __name__ == "__main__":
    moto.server.main()
