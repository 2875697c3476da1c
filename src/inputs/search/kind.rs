//! The kind of a dimension, which decides the sizes that are worth a try.
//!
//! Its use by operators comes first, then its place, and its name last.

use super::{InputAxis, TensorInfo, dims_of, input_of};
use crate::onnx::DimRole;
use crate::plan::ElementType;
use crate::record::Dim;

/// Things that a dimension counts, as far as that matters for its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Tokens kept from before.
    Past,
    Tokens,
    Channels,
    Height,
    Width,
    /// Samples of a sound.
    Audio,
    /// Frames of a spectrum or of a series.
    Frames,
    Pictures,
    Features,
    /// A factor that stands in the names of dimensions alone, such as the number of heads.
    Factor,
    Other,
    /// Samples, by its name or by what operators do with it.
    Batch,
}

const WORDS: [(&[&str], Kind); 8] = [
    (&["past"], Kind::Past),
    (
        &["audio", "waveform", "num_samples", "speech", "signal"],
        Kind::Audio,
    ),
    (&["frame", "time"], Kind::Frames),
    (&["seq", "token", "text", "length"], Kind::Tokens),
    (&["height"], Kind::Height),
    (&["width"], Kind::Width),
    (&["channel"], Kind::Channels),
    (&["feature", "hidden", "embed"], Kind::Features),
];
/// Dimensions of a video: samples, pictures, colours, rows and columns.
const VIDEO_RANK: usize = 5;
/// Numbers of mel bands and of coefficients of a sound's spectrum.
const BANDS: [u64; 9] = [13, 23, 39, 40, 64, 80, 96, 128, 257];

impl Kind {
    pub fn of_role(role: DimRole) -> Kind {
        match role {
            DimRole::Batch => Kind::Batch,
            DimRole::Channels => Kind::Channels,
            DimRole::Height => Kind::Height,
            DimRole::Width => Kind::Width,
            DimRole::Tokens => Kind::Tokens,
            DimRole::Past => Kind::Past,
            DimRole::Audio => Kind::Audio,
            DimRole::Frames => Kind::Frames,
            DimRole::Features => Kind::Features,
        }
    }

    pub fn of_name(name: &str) -> Option<Kind> {
        let lower = name.to_lowercase();
        Some(match lower.as_str() {
            _ if is_numbered(&lower) => return None,
            "s" | "t" | "l" => Kind::Tokens,
            "h" => Kind::Height,
            "w" => Kind::Width,
            "c" => Kind::Channels,
            _ if is_batch_name(&lower) => Kind::Batch,
            _ => {
                WORDS
                    .iter()
                    .find(|(words, _)| words.iter().any(|word| lower.contains(word)))?
                    .1
            }
        })
    }

    /// The kind of a place by the type of its input and the sizes beside it.
    pub fn of_place(place: &InputAxis, inputs: &[TensorInfo]) -> Option<Kind> {
        let info = input_of(inputs, &place.input)?;
        let (element_type, _) = info.value_type.as_tensor()?;
        let dims = dims_of(info);
        let pixels = element_type.is_float() || element_type == ElementType::Uint8;
        match image_axes(dims, element_type).filter(|_| pixels) {
            Some([height, _]) if height == place.axis => return Some(Kind::Height),
            Some([_, width]) if width == place.axis => return Some(Kind::Width),
            _ => {}
        }
        match (dims, place.axis) {
            ([_, _], 1) if matches!(element_type, ElementType::Int32 | ElementType::Int64) => {
                Some(Kind::Tokens)
            }
            ([_, _, bands], 1) | ([_, bands, _], 2)
                if element_type.is_float() && is_fixed_at(bands, &BANDS) =>
            {
                Some(Kind::Frames)
            }
            _ => None,
        }
    }

    /// The same for a dimension that stands there: frames are pictures where each has rows and
    /// columns.
    pub fn at(self, places: &[InputAxis], inputs: &[TensorInfo]) -> Kind {
        let mut standing = inputs
            .iter()
            .filter(|info| places.iter().any(|place| info.name == place.input));
        match self {
            Kind::Frames if standing.any(|info| dims_of(info).len() == VIDEO_RANK) => {
                Kind::Pictures
            }
            other => other,
        }
    }

    /// The other side of an image.
    pub fn other_side(self) -> Option<Kind> {
        match self {
            Kind::Height => Some(Kind::Width),
            Kind::Width => Some(Kind::Height),
            _ => None,
        }
    }

    /// Whether samples of a batch cannot lie along it.
    pub fn is_within_sample(self) -> bool {
        !matches!(self, Kind::Other | Kind::Batch)
    }

    /// Sizes that are worth a try, the usual one first.
    pub fn usual_sizes(self) -> &'static [u64] {
        match self {
            Kind::Height | Kind::Width => &[224, 256, 320, 640, 384, 512, 299, 128, 64, 32],
            Kind::Channels => &[3, 1, 4],
            Kind::Tokens => &[128, 77, 64, 512, 32, 16, 1],
            Kind::Past => &[128, 64, 16, 1, 0],
            Kind::Audio => &[
                16_000, 32_000, 48_000, 80_000, 160_000, 480_000, 8000, 1024, 512,
            ],
            Kind::Frames => &[100, 128, 3000, 64, 200, 96, 32, 16, 1],
            Kind::Pictures => &[16, 8, 32, 64, 4, 1],
            Kind::Factor => &[1, 2, 4, 8, 12, 16, 32, 3, 5, 6, 10, 20, 24, 40, 64],
            Kind::Batch => &[1, 2, 4],
            Kind::Features | Kind::Other => &[16, 1, 2, 3, 4, 8, 32, 64, 128, 256, 512, 224],
        }
    }
}

/// Axes of rows and columns, where sizes are those of an image: one, three or four colours beside
/// two open sizes.
fn image_axes(dims: &[Dim], element_type: ElementType) -> Option<[usize; 2]> {
    let found = match dims {
        [_, second, _, last] if is_fixed_at(second, &[1, 3, 4]) && !is_fixed_at(last, &[3]) => {
            [2, 3]
        }
        [.., last] if dims.len() == 4 && is_fixed_at(last, &[1, 3, 4]) => [1, 2],
        [first, _, _] if is_fixed_at(first, &[3]) => [1, 2],
        [_, _, last] if is_fixed_at(last, &[3]) && element_type == ElementType::Uint8 => [0, 1],
        _ => return None,
    };
    found
        .iter()
        .any(|&axis| !matches!(dims[axis], Dim::Fixed(_)))
        .then_some(found)
}

fn is_fixed_at(dim: &Dim, sizes: &[u64]) -> bool {
    matches!(dim, Dim::Fixed(size) if sizes.contains(size))
}

/// Whether the first of the dimensions holds the colours of one image.
pub(super) fn is_one_image(info: &TensorInfo) -> bool {
    matches!(dims_of(info), [Dim::Fixed(3), _, _] | [_, _, Dim::Fixed(3)])
}

/// Whether an exporter made a name of an input's name and the number of an axis:
/// `audio_dynamic_axes_1`, `x_dim_0`.
pub(super) fn is_numbered(lower: &str) -> bool {
    let stem = lower.trim_end_matches(|letter: char| letter.is_ascii_digit());
    stem != lower
        && ["dim_", "axes_", "axis_", "."]
            .iter()
            .any(|end| stem.ends_with(end))
}

/// Whether a name says batch; expressions such as `batch*heads` do not count.
pub(super) fn is_batch_name(name: &str) -> bool {
    let lower = name.to_lowercase();
    let expression =
        lower.contains(['*', '+', '/', '(']) || lower.contains(" - ") || lower.contains(" x ");
    !expression && (lower.contains("batch") || matches!(lower.as_str(), "n" | "b" | "bs" | "bsz"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx::testing::input;

    /// The kind of an axis of an input; dimensions of size 0 are open.
    fn kind(element_type: ElementType, dims: &[u64], axis: usize) -> Option<Kind> {
        let place = InputAxis {
            input: "x1".to_owned(),
            axis,
        };
        Kind::of_place(&place, &[input("x1", element_type, dims)])
    }

    #[test]
    fn layouts_of_images_are_known_without_names() {
        let float = ElementType::Float;
        for (element_type, dims, axis, found) in [
            (float, &[0, 3, 0, 0][..], 3, Some(Kind::Width)),
            (ElementType::Uint8, &[0, 0, 0, 3], 1, Some(Kind::Height)),
            (float, &[3, 0, 0], 1, Some(Kind::Height)),
            (float, &[0, 3, 0, 0], 0, None),
            (float, &[0, 0, 3], 1, None),
            (ElementType::String, &[0, 3, 0, 0], 3, None),
        ] {
            assert_eq!(kind(element_type, dims, axis), found, "{dims:?}");
        }
    }

    #[test]
    fn ids_and_spectra_are_known_by_their_type_and_bands() {
        let float = ElementType::Float;
        assert_eq!(kind(ElementType::Int64, &[0, 0], 1), Some(Kind::Tokens));
        assert_eq!(kind(float, &[0, 0], 1), None);
        assert_eq!(kind(float, &[0, 80, 0], 2), Some(Kind::Frames));
        assert_eq!(kind(float, &[0, 0, 40], 1), Some(Kind::Frames));
    }

    #[test]
    fn names_hint() {
        assert_eq!(Kind::of_name("past_sequence_length"), Some(Kind::Past));
        assert_eq!(Kind::of_name("sequence_length"), Some(Kind::Tokens));
        assert_eq!(Kind::of_name("batch_size"), Some(Kind::Batch));
        assert_eq!(Kind::of_name("d0"), None);
        assert_eq!(Kind::of_name("audio_signal_dynamic_axes_2"), None);
        assert!(!is_batch_name("batch_size x num_heads"));
    }
}
