from studiogate_simulator.files import ReceivedFile
from studiogate_simulator.submission import Submission
from studiogate_simulator.turns import TurnLog


def test_rows() -> None:
    """A record is JSON with every key, null where something did not happen."""
    log = TurnLog()
    file = ReceivedFile(name=None, mime="image/png", size=3, sha256="00")
    submission = Submission(
        model="m",
        prompt="p",
        system=None,
        config={"seed": 1},
        tools=[],
        files=[file],
        responses=[],
        previous_response_id=None,
        prompt_tokens=1,
    )
    log.add(submission, 12.5, generation="g3").status = 200

    assert log.rows() == [
        {
            "model": "m",
            "prompt": "p",
            "system": None,
            "generation": "g3",
            "config": {"seed": 1},
            "tools": [],
            "files": [{"name": None, "mime": "image/png", "size": 3, "sha256": "00"}],
            "responses": [],
            "previous_response_id": None,
            "received_at": 12.5,
            "first_byte_at": None,
            "finished_at": None,
            "aborted_at": None,
            "frame_times": [],
            "status": 200,
        }
    ]


def test_clear() -> None:
    """A cleared log is empty."""
    log = TurnLog()
    log.clear()

    assert log.rows() == []
