"""Reads one gzip member with Python's zlib, and says where it ends.

    gzip_member.py FILE

Prints how many bytes of FILE follow the first member, and then the member's text in hexadecimal.
"""

import sys
import zlib

with open(sys.argv[1], "rb") as file:
    reader = zlib.decompressobj(wbits=31)
    text = reader.decompress(file.read())
assert reader.eof, "the member does not end"
print(len(reader.unused_data))
print(text.hex())
