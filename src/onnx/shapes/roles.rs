//! What dimensions count, by what reads them. Only a view of an input tells: what is computed from
//! it has other axes.

use super::known::Known;
use super::value::Call;
use super::{DimRole, Expr};

/// Colours that an image has: grey, three, or three and transparency.
const COLOURS: [i64; 3] = [1, 3, 4];

/// Samples that the first kernel for a sound of two channels covers or steps over; one for pairs of
/// numbers is shorter.
const SAMPLES_AT_ONCE: i64 = 8;

/// The last axis of whole numbers that are looked up in a stored table counts tokens.
pub(super) fn positions(call: &Call<'_>, known: &mut Known) {
    let Some(indices) = call
        .input(1)
        .filter(|indices| indices.is_integer && indices.view_of.is_some())
    else {
        return;
    };
    let is_table = call.is_stored(0) && call.dims(0).is_some_and(|dims| dims.len() == 2);
    if let (true, Some([_, .., last])) = (is_table, indices.dims.as_deref()) {
        known.role(last, DimRole::Tokens);
    }
}

/// Factors of a stored matrix: features, and frames of a sequence of them.
pub(super) fn features(call: &Call<'_>, known: &mut Known) {
    let Some(data) = call.input(0) else { return };
    let Some(dims) = data.dims.as_deref() else {
        return;
    };
    if let Some(last) = dims.last() {
        known.role(last, DimRole::Features);
    }
    if let (true, [_, frames, _]) = (data.view_of.is_some(), dims) {
        known.role(frames, DimRole::Frames);
    }
}

/// The axis that attention goes along, where an input is attended to as it is.
pub(super) fn attended(call: &Call<'_>, known: &mut Known, input: usize, axis: usize) {
    let Some(data) = call.input(input).filter(|data| data.view_of.is_some()) else {
        return;
    };
    if let Some(size) = data.dims.as_deref().and_then(|dims| dims.get(axis)) {
        known.role(size, DimRole::Frames);
    }
}

/// Steps of a recurrent layer that reads an input as it is.
pub(super) fn sequence(call: &Call<'_>, known: &mut Known) {
    let axis = if call.integer("layout", 0) == 1 { 1 } else { 0 };
    attended(call, known, 0, axis);
    if let Some([.., features]) = call.dims(0) {
        known.role(features, DimRole::Features);
    }
}

pub(super) fn sampled(call: &Call<'_>, known: &mut Known, length: &Expr) {
    if call.input(0).is_some_and(|data| data.view_of.is_some()) {
        known.role(length, DimRole::Audio);
    }
}

/// An axis without what was put before and after it, or cut off.
fn unpadded(size: &Expr) -> Expr {
    let Expr::Sum(terms) = size else {
        return size.clone();
    };
    match terms.as_slice() {
        [dim @ Expr::Dim(_), Expr::Number(_)] | [Expr::Number(_), dim @ Expr::Dim(_)] => {
            dim.clone()
        }
        _ => size.clone(),
    }
}

/// Whether a convolution along one axis, with so many channels, a kernel of that width and that
/// stride, reads a sound: one channel, or two of which it takes many samples at once.
#[must_use]
pub fn is_sound(channels: i64, width: i64, stride: i64) -> bool {
    channels == 1 || (channels == 2 && width.max(stride) >= SAMPLES_AT_ONCE)
}

fn hears(call: &Call<'_>, channels: &Expr, kernel: &[Expr]) -> bool {
    let width = kernel.last().and_then(Expr::number).unwrap_or(1);
    let stride = call
        .integers("strides")
        .and_then(|strides| strides.last().copied())
        .unwrap_or(1);
    channels
        .number()
        .is_some_and(|channels| is_sound(channels, width, stride))
}

/// Axes of what a convolution with so many channels and such a kernel reads, where that is an input
/// as it is.
pub(super) fn convolved(call: &Call<'_>, known: &mut Known, channels: &Expr, kernel: &[Expr]) {
    let Some((data, input)) = call.input(0).and_then(|data| Some((data, data.view_of?))) else {
        return;
    };
    let Some(dims) = data
        .dims
        .as_ref()
        .map(|dims| dims.iter().map(unpadded).collect::<Vec<Expr>>())
    else {
        return;
    };
    let rank = known.ranks.get(input).copied().unwrap_or(0);
    match dims.as_slice() {
        [_, features, steps] if rank < 3 || hears(call, channels, kernel) => {
            known.role(steps, DimRole::Audio);
            known.role(features, DimRole::Features);
        }
        [_, features, steps] => {
            known.role(features, DimRole::Features);
            known.role(steps, DimRole::Frames);
        }
        [_, _, high, wide] if rank < 3 => [high, wide]
            .into_iter()
            .for_each(|size| known.role(size, DimRole::Audio)),
        // One axis was put before a table of frames by features: a spectrum, not an image of one
        // colour.
        [_, Expr::Number(1), high, wide]
            if rank == 3 && (high.number().is_some() != wide.number().is_some()) =>
        {
            [high, wide]
                .into_iter()
                .for_each(|size| known.role(size, DimRole::Frames));
        }
        [_, colours, high, wide] => {
            known.role(colours, DimRole::Channels);
            known.role(high, DimRole::Height);
            known.role(wide, DimRole::Width);
        }
        [_, colours, frames, high, wide] => {
            known.role(colours, DimRole::Channels);
            known.role(frames, DimRole::Frames);
            known.role(high, DimRole::Height);
            known.role(wide, DimRole::Width);
        }
        _ => {}
    }
}

fn is_colours(size: &Expr) -> bool {
    size.number().is_some_and(|size| COLOURS.contains(&size))
}

/// Axes of an image that is given another size before anything else.
pub(super) fn resized(call: &Call<'_>, known: &mut Known) {
    let Some(data) = call.input(0).filter(|data| data.view_of.is_some()) else {
        return;
    };
    let Some([_, second, third, last]) = data.dims.as_deref() else {
        return;
    };

    let (high, wide) = if is_colours(last) && !is_colours(second) {
        (second, third)
    } else {
        (third, last)
    };
    known.role(high, DimRole::Height);
    known.role(wide, DimRole::Width);
}
