"""Settings from the environment."""

from pathlib import Path

import pytest

from panoramax_blurring.settings import Settings, SettingsError


def test_values_are_typed() -> None:
    settings = Settings.from_environment(
        {"BLUR_QUEUE": "3", "BLUR_MODELS": "/m", "BLUR_FACE_THRESHOLD": "0.4", "X": "1"}
    )
    assert (settings.queue, settings.models, settings.face_threshold) == (3, Path("/m"), 0.4)
    assert Settings.from_environment({}) == Settings()


def test_certificate_and_key_belong_together() -> None:
    both = Settings.from_environment({"BLUR_TLS_CERTIFICATE": "/c", "BLUR_TLS_KEY": "/k"})
    assert (both.tls_certificate, both.tls_key) == ("/c", "/k")
    with pytest.raises(SettingsError, match="BLUR_TLS_CERTIFICATE and BLUR_TLS_KEY"):
        Settings.from_environment({"BLUR_TLS_CERTIFICATE": "/c", "BLUR_TLS_KEY": ""})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BLUR_QUEU", "3"),
        ("BLUR_MODE", "quick"),
        ("BLUR_ENGINE", "torch"),
        ("BLUR_QUEUE", "0"),
        ("BLUR_QUEUE", "many"),
        ("BLUR_FACE_THRESHOLD", "1.5"),
        ("BLUR_MAX_PIXELS", "-1"),
        ("BLUR_PICTURE_TIMEOUT", "nan"),
    ],
)
def test_wrong_settings_are_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_environment({name: value})
