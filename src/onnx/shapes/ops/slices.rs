//! Operators that cut axes or lengthen them.

use super::{Call, Dims, Expr, Made, axes, axis, from_start, number, unknown};

/// Ends of a slice from here on mean the end of the axis.
const TO_THE_END: i64 = i32::MAX as i64;

pub(in super::super) struct Cut {
    pub axis: usize,
    pub start: Expr,
    pub end: Expr,
    pub step: i64,
}

impl Call<'_> {
    pub(super) fn cut(&self) -> Made {
        let made = match self.operator() {
            "Slice" | "DynamicSlice" => self.slice(),
            "Pad" => self.pad(),
            "CenterCropPad" => self.center(),
            _ => return None,
        };
        Some(vec![made])
    }

    /// The axes that a slice cuts; absent where some of it is not known.
    pub(in super::super) fn cuts(&self, rank: usize) -> Option<Vec<Cut>> {
        let (starts, ends) = (self.sizes("starts", 1)?, self.sizes("ends", 2)?);
        let axes = self.cut_axes(starts.len())?.into_iter();
        let steps = match self.input(4) {
            Some(_) => self.numbers(4)?,
            None => vec![1; starts.len()],
        };
        axes.zip(steps)
            .zip(starts.into_iter().zip(ends))
            .map(|((place, step), (start, end))| {
                Some(Cut {
                    axis: axis(place, rank)?,
                    start,
                    end,
                    step,
                })
            })
            .collect()
    }

    fn cut_axes(&self, count: usize) -> Option<Vec<i64>> {
        if self.integers("axes").is_none() && self.input(3).is_none() {
            return Some((0..count as i64).collect());
        }
        self.attribute_or_input("axes", 3)
    }

    fn slice(&self) -> Dims {
        let mut made = self.owned(0)?;
        if let Some(cuts) = self.cuts(made.len()) {
            for cut in cuts {
                made[cut.axis] = cut.size(&made[cut.axis]).unwrap_or_default();
            }
            return Some(made);
        }
        // Which axes are cut may be known though not where.
        let count = self.list_len(1);
        let Some(axes) = count.and_then(|count| self.cut_axes(count.try_into().ok()?)) else {
            return unknown(made.len());
        };
        for place in axes {
            let axis = axis(place, made.len())?;
            made[axis] = Expr::Unknown;
        }
        Some(made)
    }

    fn pad(&self) -> Dims {
        let mut made = self.owned(0)?;
        let pads = self.stored_sizes("pads");
        let Some(pads) = pads.or_else(|| self.sizes("paddings", 1)) else {
            return unknown(made.len());
        };
        let axes = match self.input(3) {
            Some(_) => axes(&self.numbers(3)?, made.len()),
            None => (0..made.len()).collect(),
        };
        if pads.len() != 2 * axes.len() {
            return unknown(made.len());
        }
        let (before, after) = pads.split_at(axes.len());
        for (axis, (before, after)) in axes.into_iter().zip(before.iter().zip(after)) {
            let size = &self.dims(0)?[axis];
            self.reflected(size, before.number().max(after.number()));
            made[axis] = made[axis].plus(before).plus(after);
        }
        Some(made)
    }

    /// Mirrored places must be there: an axis is longer than its padding.
    fn reflected(&self, size: &Expr, widest: Option<i64>) {
        if let ("reflect", Some(widest)) = (self.text("mode"), widest) {
            let does = format_args!("mirrors {widest} at an end");
            self.at_least(size, widest.saturating_add(1), does);
        }
    }

    fn center(&self) -> Dims {
        let mut made = self.owned(0)?;
        let axes = self.integers("axes");
        let axes = axes.unwrap_or_else(|| (0..made.len() as i64).collect());
        let sizes = self.elements(1).unwrap_or_default();
        for (place, wanted) in axes.into_iter().enumerate() {
            let axis = axis(wanted, made.len())?;
            made[axis] = sizes.get(place).cloned().unwrap_or_default();
        }
        Some(made)
    }
}

impl Cut {
    /// Size of an axis after the cut.
    fn size(&self, size: &Expr) -> Option<Expr> {
        match self.step {
            ..0 => self.backwards(size),
            0 => None,
            step => {
                let [start, end] = [&self.start, &self.end].map(|place| clamped(place, size));
                Some(end?.minus(&start?).larger(&number(0)).over_up(step))
            }
        }
    }

    fn backwards(&self, size: &Expr) -> Option<Expr> {
        let all = matches!(self.start, Expr::Number(-1 | TO_THE_END..));
        let end = self.end.number();
        let step = self.step.saturating_neg();
        if all && end.is_some_and(|end| end <= -TO_THE_END) {
            return Some(size.over_up(step));
        }
        let (size, start, end) = (size.number()?, self.start.number()?, end?);
        if size < 1 {
            return Some(number(0));
        }
        let start = from_start(start, size).clamp(0, size - 1);
        let end = from_start(end, size).clamp(-1, size - 1);
        let span = (start - end).max(0);
        let rest = i64::from(span.rem_euclid(step) > 0);
        Some(number(span.div_euclid(step) + rest))
    }
}

/// A place that a slice names, between 0 and the size; absent where its sign is not known.
fn clamped(place: &Expr, size: &Expr) -> Option<Expr> {
    match place {
        Expr::Number(TO_THE_END..) => Some(size.clone()),
        Expr::Number(0) => Some(number(0)),
        Expr::Number(..0) => Some(size.plus(place).larger(&number(0))),
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
