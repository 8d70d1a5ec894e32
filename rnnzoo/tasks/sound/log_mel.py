"""Log mel energies: how loud each band of pitches is over time (Davis & Mermelstein 1980)."""

import numpy as np

BANDS = 26
WINDOW, HOP = 0.032, 0.016  # seconds
FLOOR = 1e-8  # below what 16 bits resolve


def log_mel(samples: np.ndarray, rate: int) -> np.ndarray:
    """Features (T, 26) of samples (N,) in [-1, 1]::

        S_t = |FFT(hann * samples[t hop : t hop + window])|^2 / window      window 32 ms, hop 16 ms
        m_t = log(1e-8 + filters S_t)

    with the triangular filters of `mel_filters`. A window that is not full is left out; a recording shorter than one
    is filled with zeros. The Fourier transform has the next power of two of points."""
    window, hop = max(2, round(WINDOW * rate)), max(1, round(HOP * rate))
    samples = np.pad(samples, (0, max(0, window - len(samples))))
    frames = np.lib.stride_tricks.sliding_window_view(samples, window)[::hop]
    points = 1 << (window - 1).bit_length()
    power = np.abs(np.fft.rfft(frames * np.hanning(window), points)) ** 2 / window
    return np.log(FLOOR + power @ mel_filters(rate, points).T)


def mel_filters(rate: int, points: int) -> np.ndarray:
    """Weights (26, points / 2 + 1) of triangles whose corners are at equal distances in mel from 0 to rate / 2, each
    triangle from the peak of the one before to that of the next; mel(f) = 2595 log10(1 + f / 700)."""
    top = 2595 * np.log10(1 + rate / 2 / 700)
    corners = 700 * (10 ** (np.linspace(0, top, BANDS + 2) / 2595) - 1)
    hertz = np.fft.rfftfreq(points, 1 / rate)
    low, peak, high = (corners[n : n + BANDS, None] for n in range(3))
    return np.maximum(0, np.minimum((hertz - low) / (peak - low), (high - hertz) / (high - peak)))


__all__ = ["BANDS", "log_mel", "mel_filters"]
