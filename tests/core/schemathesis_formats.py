"""Loaded by schemathesis: what it can't know of the formats that `/openapi.json` names."""

import json

import schemathesis
from hypothesis import strategies as st

schemathesis.openapi.format(
    # The arguments of a call: an object as text.
    "json-object",
    st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=3), max_size=3).map(json.dumps),
)
