"""Log sound from files and arrays."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from .arrays import Array, plain
from .base import Media, Store, caption_text, file_content, is_path, stored
from .scale import to_int16

_FORMATS = ("wav", "mp3", "flac", "ogg", "m4a", "webm")


class Audio(Media):
    """A sound from a file or from samples.

        run.log({"speech": tracker.Audio(samples, sample_rate=16000)})

    Args:
        data_or_path: A path, the bytes or a binary file object of a WAV, MP3, FLAC, Ogg, M4A or WebM file, stored as it
            is; or an array of any library or a list: samples (mono), samples × channels or channels × samples, with 1
            or 2 channels. If both axes could be the channels, the last one is. Floats are amplitudes in −1…1 (what
            exceeds them is clipped, NaN is silence), integers are 16-bit samples. Stored as 16-bit PCM WAV.
        sample_rate: Samples per second; required with an array.
        caption: A text to show with the sound.

    Raises:
        OSError: The file cannot be read; FileNotFoundError if there is none.
        TypeError: The value is not a sound.
        ValueError: The sample rate is missing, the array has another layout or larger integers, or the file has
            another format.
    """

    def __init__(self, data_or_path: Any, sample_rate: int | None = None, caption: str | None = None) -> None:
        self.caption = caption_text(caption)
        self.sample_rate = None if sample_rate is None else int(sample_rate)
        if self.sample_rate is not None and not 1 <= self.sample_rate < 2**31:
            raise ValueError(f"sample_rate is {sample_rate!r}; it is the number of samples per second")
        if is_path(data_or_path) or isinstance(data_or_path, (bytes, bytearray)) or hasattr(data_or_path, "read"):
            self._content, self.format = file_content(data_or_path, "sound", _FORMATS, None)
            return
        if self.sample_rate is None:
            raise ValueError("sound given as samples needs its sample_rate, for example sample_rate=16000")
        self.format = "wav"
        self._content = _wav(plain(data_or_path), self.sample_rate)

    def record(self, store: Store) -> dict[str, Any]:
        """Return `_type` audio; WAV files have `duration` in seconds."""
        content = self._content if isinstance(self._content, bytes) else self._content.read_bytes()
        rate, duration = _wav_times(content) if self.format == "wav" else (None, None)
        return stored(
            "audio",
            content,
            self.format,
            store,
            sample_rate=self.sample_rate or rate,
            duration=duration,
            caption=self.caption,
        )


def _wav(data: Array, sample_rate: int) -> bytes:
    import wave  # here: the import takes as long as the rest of this package

    shape = data.shape
    if len(shape) == 1:
        shape = (shape[0], 1)
    if len(shape) != 2 or not (shape[1] in (1, 2) or shape[0] in (1, 2)) or 0 in shape:
        raise ValueError(
            f"an array of shape {data.shape} is not sound: samples, samples x channels or channels x samples "
            "with 1 or 2 channels is needed, and nothing empty"
        )
    samples, channels = to_int16(data), shape[1]
    if channels not in (1, 2):  # channels x samples
        channels = shape[0]
        interleaved = memoryview(bytearray(samples.nbytes)).cast("h")
        for channel in range(channels):
            interleaved[channel::channels] = samples[channel * shape[1] : (channel + 1) * shape[1]]
        samples = interleaved
    file = BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setnchannels(channels)
        wav.setsampwidth(2)
        wav.setframerate(sample_rate)
        wav.writeframes(samples)
    return file.getvalue()


def _wav_times(content: bytes) -> tuple[int | None, float | None]:
    import wave

    try:
        with wave.open(BytesIO(content)) as wav:
            return wav.getframerate(), wav.getnframes() / wav.getframerate()
    except (wave.Error, EOFError, ZeroDivisionError):  # `wave` cannot read float and compressed WAV files
        return None, None
