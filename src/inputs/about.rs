//! Dimensions that the files beside a model tell sizes of.

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum About {
    Height,
    Width,
    /// Colours of an image.
    Channels,
    MostTokens,
    /// Samples of a second of sound.
    Audio,
    /// Frames of a spectrum.
    Frames,
    /// Features of each frame or token.
    Features,
    /// Heads of attention.
    Heads,
    /// Features of each of those.
    HeadSize,
    /// An axis of an input of this name.
    Axis(String, usize),
}
