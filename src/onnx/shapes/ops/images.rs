//! Operators on images and signals: other sizes, other layouts, spectra, boxes.

use super::{AttributeValue, Call, Dims, Expr, Known, number, owned, roles, unknown};

/// Denominators of scales that are followed: halves, quarters and so on, which floating point holds
/// exactly.
const DENOMINATORS: [i64; 6] = [1, 2, 4, 8, 16, 32];

pub(super) fn dims(call: &Call<'_>, known: &mut Known) -> Option<Vec<Dims>> {
    let made = match call.node.operator.as_str() {
        "Resize" => resize(call, known),
        "Upsample" => scaled(call.dims(0)?, scales(call, 1)),
        "DepthToSpace" => depth_to_space(call, known),
        "SpaceToDepth" => space_to_depth(call, known),
        "GridSample" => grid_sample(call),
        "AffineGrid" => affine_grid(call),
        "NonMaxSuppression" => Some(vec![Expr::Unknown, number(3)]),
        "RoiAlign" | "MaxRoiPool" => regions(call),
        "STFT" => stft(call, known),
        "DFT" => dft(call),
        "HannWindow" | "HammingWindow" | "BlackmanWindow" => call
            .first(0)
            .map_or_else(|| unknown(1), |size| Some(vec![size.clone()])),
        "MelWeightMatrix" => mel(call),
        _ => return None,
    };
    Some(vec![made])
}

fn resize(call: &Call<'_>, known: &mut Known) -> Dims {
    let dims = call.dims(0)?;
    roles::resized(call, known);
    if call.text("keep_aspect_ratio_policy").starts_with("not_") {
        return unknown(dims.len());
    }
    let axes: Vec<usize> = match call.integers("axes") {
        Some(axes) => axes
            .into_iter()
            .filter_map(|axis| call.axis(axis, dims.len()))
            .collect(),
        None => (0..dims.len()).collect(),
    };
    if call
        .input(3)
        .is_some_and(|sizes| sizes.dims.as_deref() != Some(&[number(0)]))
    {
        let Some(sizes) = call.elements(3).filter(|sizes| sizes.len() == axes.len()) else {
            return unknown(dims.len());
        };
        let mut made = dims.to_vec();
        axes.iter()
            .zip(sizes)
            .for_each(|(&axis, size)| made[axis] = size.clone());
        return Some(made);
    }
    let given = scales(call, if call.inputs.len() == 2 { 1 } else { 2 });
    let Some(given) = given.filter(|given| given.len() == axes.len()) else {
        return unknown(dims.len());
    };
    let mut all = vec![1.0; dims.len()];
    axes.iter()
        .zip(given)
        .for_each(|(&axis, scale)| all[axis] = scale);
    scaled(dims, Some(all))
}

/// Scales that are stored, or that follow from sizes as whole numbers.
fn scales(call: &Call<'_>, index: usize) -> Option<Vec<f64>> {
    if let Some(AttributeValue::Numbers(values)) = call.node.attribute("scales") {
        return Some(values.clone());
    }
    let stored = call.input(index)?.fractions.clone();
    stored.or_else(|| whole_scales(call, index))
}

fn whole_scales(call: &Call<'_>, index: usize) -> Option<Vec<f64>> {
    let scales = call.numbers(index)?.into_iter();
    Some(scales.map(|scale| scale as f64).collect())
}

fn scaled(dims: &[Expr], scales: Option<Vec<f64>>) -> Dims {
    let scales = scales.filter(|scales| scales.len() == dims.len());
    let Some(scales) = scales else {
        return unknown(dims.len());
    };
    Some(
        dims.iter()
            .zip(scales)
            .map(|(size, scale)| scaled_size(size, scale))
            .collect(),
    )
}

fn scaled_size(size: &Expr, scale: f64) -> Expr {
    if let Some(size) = size.number() {
        return number((size as f32 * scale as f32).floor() as i64);
    }
    let exact = DENOMINATORS
        .into_iter()
        .find(|&part| (scale * part as f64).fract() == 0.0 && scale > 0.0);
    match exact {
        Some(part) => size
            .times(&number((scale * part as f64) as i64))
            .over(&number(part)),
        None => Expr::Unknown,
    }
}

fn depth_to_space(call: &Call<'_>, known: &mut Known) -> Dims {
    let [batch, channels, height, width] = call.dims(0)? else {
        return None;
    };
    let block = call.node.integer("blocksize")?;
    let area = block.checked_mul(block)?;
    known.multiple(channels, area, || {
        format!("{} parts channels by {area}", call.words())
    });
    let times = number(block);
    Some(vec![
        batch.clone(),
        channels.over(&number(area)),
        height.times(&times),
        width.times(&times),
    ])
}

fn space_to_depth(call: &Call<'_>, known: &mut Known) -> Dims {
    let [batch, channels, height, width] = call.dims(0)? else {
        return None;
    };
    let block = call.node.integer("blocksize")?;
    roles::resized(call, known);
    for size in [height, width] {
        known.multiple(size, block, || {
            format!("{} takes blocks of {block}", call.words())
        });
    }
    let part = number(block);
    Some(vec![
        batch.clone(),
        channels.times(&number(block.checked_mul(block)?)),
        height.over(&part),
        width.over(&part),
    ])
}

fn grid_sample(call: &Call<'_>) -> Dims {
    let (data, grid) = (call.dims(0)?, call.dims(1)?);
    let (_, places) = grid.split_last()?;
    Some([data.get(..2)?, places.get(1..)?].concat())
}

fn affine_grid(call: &Call<'_>) -> Dims {
    let size = call.elements(1)?;
    let (batch, places) = (size.first()?, size.get(2..)?);
    Some(
        [
            std::slice::from_ref(batch),
            places,
            &[number(places.len() as i64)],
        ]
        .concat(),
    )
}

fn regions(call: &Call<'_>) -> Dims {
    let (data, boxes) = (call.dims(0)?, call.dims(1)?);
    let [height, width] = match call.integers("pooled_shape") {
        Some(shape) => shape.try_into().ok()?,
        None => [
            call.integer("output_height", 1),
            call.integer("output_width", 1),
        ],
    };
    Some(vec![
        boxes.first()?.clone(),
        data.get(1)?.clone(),
        number(height),
        number(width),
    ])
}

fn stft(call: &Call<'_>, known: &mut Known) -> Dims {
    let [batch, length, ..] = call.dims(0)? else {
        return unknown(4);
    };
    roles::sampled(call, known, length);
    let first = |index: usize| call.first(index).and_then(Expr::number);
    let window = call
        .dims(2)
        .and_then(<[Expr]>::first)
        .and_then(Expr::number);
    let step = first(1).filter(|&step| step > 0);
    let (Some(step), Some(frame)) = (step, first(3).or(window)) else {
        return unknown(4);
    };
    known.at_least(length, frame, || {
        format!("{} takes frames of {frame} samples", call.words())
    });
    let frames = length
        .minus(&number(frame))
        .over(&number(step))
        .plus(&number(1));
    let bins = if call.integer("onesided", 1) == 1 {
        frame / 2 + 1
    } else {
        frame
    };
    Some(vec![batch.clone(), frames, number(bins), number(2)])
}

fn dft(call: &Call<'_>) -> Dims {
    let mut made = owned(call.dims(0))?;
    let rank = made.len();
    let plain = call.input(1).is_none()
        && call.integer("onesided", 0) == 0
        && call.integer("inverse", 0) == 0;
    if !plain {
        return unknown(rank);
    }
    *made.last_mut()? = number(2);
    Some(made)
}

fn mel(call: &Call<'_>) -> Dims {
    let bands = call.first(0).cloned().unwrap_or(Expr::Unknown);
    let length = call.first(1).cloned().unwrap_or(Expr::Unknown);
    Some(vec![length.over(&number(2)).plus(&number(1)), bands])
}
