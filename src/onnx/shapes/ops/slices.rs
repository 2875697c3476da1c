//! Operators that cut axes or lengthen them.

use super::{Call, Dims, Expr, Known, from_start, number, owned, unknown};

/// Ends of a slice from here on mean the end of the axis.
const TO_THE_END: i64 = i32::MAX as i64;

pub(super) fn dims(call: &Call<'_>, known: &mut Known) -> Option<Vec<Dims>> {
    let made = match call.node.operator.as_str() {
        "Slice" | "DynamicSlice" => slice(call),
        "Pad" => pad(call, known),
        "CenterCropPad" => center(call),
        _ => return None,
    };
    Some(vec![made])
}

pub(in super::super) struct Cut {
    pub axis: usize,
    pub start: Expr,
    pub end: Expr,
    pub step: i64,
}

/// The axes that a slice cuts; absent where some of it is not known.
pub(in super::super) fn cuts(call: &Call<'_>, rank: usize) -> Option<Vec<Cut>> {
    let (starts, ends) = (places(call, "starts", 1)?, places(call, "ends", 2)?);
    let axes = axes(call, starts.len())?;
    let steps = if call.input(4).is_some() {
        call.numbers(4)?
    } else {
        vec![1; starts.len()]
    };
    axes.iter()
        .zip(steps)
        .zip(starts.into_iter().zip(ends))
        .map(|((axis, step), (start, end))| {
            Some(Cut {
                axis: call.axis(*axis, rank)?,
                start,
                end,
                step,
            })
        })
        .collect()
}

/// Where cuts start or end, by an attribute or an input.
fn places(call: &Call<'_>, name: &str, index: usize) -> Option<Vec<Expr>> {
    match call.integers(name) {
        Some(stored) => Some(stored.into_iter().map(Expr::Number).collect()),
        None => call.elements(index).map(<[Expr]>::to_vec),
    }
}

fn axes(call: &Call<'_>, count: usize) -> Option<Vec<i64>> {
    if call.integers("axes").is_none() && call.input(3).is_none() {
        return Some((0..count as i64).collect());
    }
    call.attribute_or_input("axes", 3)
}

fn slice(call: &Call<'_>) -> Dims {
    let mut made = owned(call.dims(0))?;
    if let Some(cuts) = cuts(call, made.len()) {
        cuts.iter()
            .for_each(|cut| made[cut.axis] = cut_size(&made[cut.axis], cut));
        return Some(made);
    }
    // Which axes are cut may be known though not where.
    let count = call
        .dims(1)
        .and_then(|dims| dims.first())
        .and_then(Expr::number);
    let axes = count.and_then(|count| axes(call, usize::try_from(count).ok()?));
    let Some(axes) = axes else {
        return unknown(made.len());
    };
    for axis in axes {
        let axis = call.axis(axis, made.len())?;
        made[axis] = Expr::Unknown;
    }
    Some(made)
}

fn cut_size(size: &Expr, cut: &Cut) -> Expr {
    if cut.step < 0 {
        return backwards(size, cut);
    }
    let (Some(start), Some(end)) = (clamped(&cut.start, size), clamped(&cut.end, size)) else {
        return Expr::Unknown;
    };
    if cut.step == 0 {
        return Expr::Unknown;
    }
    end.minus(&start).larger(&number(0)).over_up(cut.step)
}

/// A place that a slice names, between 0 and the size; absent where its sign is not known.
fn clamped(place: &Expr, size: &Expr) -> Option<Expr> {
    match place {
        Expr::Number(TO_THE_END..) => Some(size.clone()),
        Expr::Number(0) => Some(number(0)),
        Expr::Number(from_end @ ..0) => Some(size.plus(&number(*from_end)).larger(&number(0))),
        place if place.is_not_negative() => Some(place.smaller(size)),
        // Such as `total - new` with a total of `past + new`, which normal form shows to be `past`.
        place => {
            let negated = place.times(&number(-1));
            negated
                .is_not_negative()
                .then(|| size.minus(&negated).larger(&number(0)))
        }
    }
}

fn backwards(size: &Expr, cut: &Cut) -> Expr {
    let all = cut.start == number(-1) || matches!(cut.start, Expr::Number(TO_THE_END..));
    let whole = cut.end.number().is_some_and(|end| end <= -TO_THE_END);
    if all && whole {
        return size.over_up(cut.step.saturating_neg());
    }
    backwards_by_number(size, cut).map_or(Expr::Unknown, number)
}

fn backwards_by_number(size: &Expr, cut: &Cut) -> Option<i64> {
    let (size, start, end) = (size.number()?, cut.start.number()?, cut.end.number()?);
    if size < 1 {
        return Some(0);
    }
    let start = from_start(start, size).clamp(0, size - 1);
    let end = from_start(end, size).clamp(-1, size - 1);
    let (span, step) = ((start - end).max(0), cut.step.saturating_neg());
    Some(span.div_euclid(step) + i64::from(span.rem_euclid(step) > 0))
}

fn pad(call: &Call<'_>, known: &mut Known) -> Dims {
    let dims = call.dims(0)?;
    let stored = call.integers("pads").or_else(|| call.integers("paddings"));
    let stored = stored.map(|stored| stored.into_iter().map(Expr::Number).collect::<Vec<_>>());
    let Some(pads) = stored.or_else(|| owned(call.elements(1))) else {
        return unknown(dims.len());
    };
    let axes: Vec<usize> = match call.input(3) {
        Some(_) => call
            .numbers(3)?
            .into_iter()
            .filter_map(|axis| call.axis(axis, dims.len()))
            .collect(),
        None => (0..dims.len()).collect(),
    };
    if pads.len() != 2 * axes.len() {
        return unknown(dims.len());
    }
    let mut made = dims.to_vec();
    for (place, &axis) in axes.iter().enumerate() {
        let (before, after) = (&pads[place], &pads[place + axes.len()]);
        reflected(
            call,
            known,
            &dims[axis],
            before.number().max(after.number()),
        );
        made[axis] = made[axis].plus(before).plus(after);
    }
    Some(made)
}

/// Mirrored places must be there: an axis is longer than its padding.
fn reflected(call: &Call<'_>, known: &mut Known, size: &Expr, widest: Option<i64>) {
    if let Some(widest) = widest.filter(|&widest| widest > 0 && call.text("mode") == "reflect") {
        known.at_least(size, widest.saturating_add(1), || {
            format!("{} mirrors {widest} at an end", call.words())
        });
    }
}

fn center(call: &Call<'_>) -> Dims {
    let mut made = owned(call.dims(0))?;
    let axes = call
        .integers("axes")
        .unwrap_or_else(|| (0..made.len() as i64).collect());
    let sizes = call.elements(1);
    for (place, axis) in axes.iter().enumerate() {
        let axis = call.axis(*axis, made.len())?;
        made[axis] = sizes
            .and_then(|sizes| sizes.get(place))
            .cloned()
            .unwrap_or(Expr::Unknown);
    }
    Some(made)
}
