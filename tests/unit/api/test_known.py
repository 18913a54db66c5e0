"""The question which files are here already."""

from __future__ import annotations

import pytest
from launcher import known

MD5 = "d41d8cd98f00b204e9800998ecf8427e"
UPLOAD = "11111111-2222-4333-8444-555555555555"


def test_digests_are_asked_as_the_database_keeps_them() -> None:
    question = known.read_question({"md5": [MD5], "upload_set_id": UPLOAD})
    assert question == {"md5": ["d41d8cd9-8f00-b204-e980-0998ecf8427e"], "upload": UPLOAD}
    assert known.read_question({"md5": []}) == {"md5": [], "upload": None}


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"md5": MD5},
        {"md5": ["x"]},
        {"md5": [None]},
        {"md5": [MD5], "upload_set_id": "x"},
        {"md5": [MD5] * (known.MOST + 1)},
    ],
)
def test_what_is_no_question_is_refused(body: object) -> None:
    with pytest.raises(known.QuestionError):
        known.read_question(body)
