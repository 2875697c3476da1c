//! Roles of dimensions: the things that they count, by the operators that read them. Only a view of
//! an input tells: values computed from it have other axes.

use super::value::Call;
use super::{DimRole, Expr};

/// Colours that an image has: grey, three, or three and transparency.
const COLOURS: [i64; 3] = [1, 3, 4];

/// Samples that the first kernel for a sound of two channels covers or steps over; one for pairs of
/// numbers is shorter.
const SAMPLES_AT_ONCE: i64 = 8;

impl Call<'_> {
    /// The last axis of whole numbers that are looked up in a stored table counts tokens.
    pub(super) fn positions(&self) {
        if let (Some([_, _]), Some([_, .., last])) = (self.dims(0), self.view_dims(1))
            && self.is_stored(0)
            && self.is_integer(1)
        {
            self.role(last, DimRole::Tokens);
        }
    }

    /// Factors of a stored matrix: features, and frames of a sequence of them.
    pub(super) fn features(&self) {
        self.last_features();
        if let Some([_, frames, _]) = self.view_dims(0) {
            self.role(frames, DimRole::Frames);
        }
    }

    /// The axis that attention goes along, where an input is attended to as it is.
    pub(super) fn attended(&self, input: usize, axis: usize) {
        let dims = self.view_dims(input);
        if let Some(size) = dims.and_then(|dims| dims.get(axis)) {
            self.role(size, DimRole::Frames);
        }
    }

    /// Steps of a recurrent layer that reads an input as it is.
    pub(super) fn sequence(&self) {
        self.attended(0, usize::from(self.is_on("layout")));
        self.last_features();
    }

    fn last_features(&self) {
        if let Some([.., last]) = self.dims(0) {
            self.role(last, DimRole::Features);
        }
    }

    pub(super) fn sampled(&self, length: &Expr) {
        if self.view(0).is_some() {
            self.role(length, DimRole::Audio);
        }
    }

    fn hears(&self, channels: &Expr, kernel: &[Expr]) -> bool {
        let width = kernel.last().and_then(Expr::number).unwrap_or(1);
        let strides = self.integers("strides").unwrap_or_default();
        let stride = strides.last().copied().unwrap_or(1);
        channels
            .number()
            .is_some_and(|channels| is_sound(channels, width, stride))
    }

    /// Axes of what a convolution with so many channels and such a kernel reads, where that is an
    /// input as it is.
    pub(super) fn convolved(&self, channels: &Expr, kernel: &[Expr]) {
        use DimRole::{Audio, Channels, Features, Frames, Height, Width};
        let data = self.view(0);
        let input = data.and_then(|data| Some((data.view_of?, data.dims.as_ref()?)));
        let Some((input, dims)) = input else { return };
        let dims: Vec<Expr> = dims.iter().map(unpadded).collect();
        let rank = self.known.borrow().ranks.get(input).copied().unwrap_or(0);
        let roles = match &dims[..] {
            [_, features, steps] if rank < 3 || self.hears(channels, kernel) => {
                vec![(steps, Audio), (features, Features)]
            }
            [_, features, steps] => vec![(features, Features), (steps, Frames)],
            [_, _, high, wide] if rank < 3 => vec![(high, Audio), (wide, Audio)],
            // One axis was put before a table of frames by features: a spectrum, not an image of
            // one colour.
            [_, Expr::Number(1), high, wide]
                if rank == 3 && (high.number().is_some() != wide.number().is_some()) =>
            {
                vec![(high, Frames), (wide, Frames)]
            }
            [_, colours, high, wide] => vec![(colours, Channels), (high, Height), (wide, Width)],
            [_, colours, frames, high, wide] => {
                vec![
                    (colours, Channels),
                    (frames, Frames),
                    (high, Height),
                    (wide, Width),
                ]
            }
            _ => Vec::new(),
        };
        for (size, role) in roles {
            self.role(size, role);
        }
    }

    /// Axes of an image that is given another size before anything else.
    pub(super) fn resized(&self) {
        let Some([_, second, third, last]) = self.view_dims(0) else {
            return;
        };
        let (high, wide) = if is_colours(last) && !is_colours(second) {
            (second, third)
        } else {
            (third, last)
        };
        self.role(high, DimRole::Height);
        self.role(wide, DimRole::Width);
    }
}

/// An axis without what was put before and after it, or cut off.
fn unpadded(size: &Expr) -> Expr {
    if let Expr::Sum(terms) = size
        && let [Expr::Number(_), dim @ Expr::Dim(_)] = &terms[..]
    {
        return dim.clone();
    }
    size.clone()
}

/// Whether a convolution along one axis, with so many channels, a kernel of that width and that
/// stride, reads a sound: one channel, or two of which it takes many samples at once.
#[must_use]
pub fn is_sound(channels: i64, width: i64, stride: i64) -> bool {
    channels == 1 || (channels == 2 && width.max(stride) >= SAMPLES_AT_ONCE)
}

fn is_colours(size: &Expr) -> bool {
    size.number().is_some_and(|size| COLOURS.contains(&size))
}
