//! Inputs that list one number for each axis, or a part of such numbers: sizes, scales, ends,
//! parts, axes.

use super::extent::{measured, place, placed};
use super::flow::{Call, Flow, whole};
use super::places::{self, Part};
use super::{Fill, FillKind, Question};

const MOST_NUMBERS: u64 = 16;
/// Colours of an image, by which its layout is told.
const COLOURS: [f64; 3] = [1.0, 3.0, 4.0];

/// The content of an operand that is a list.
#[derive(Clone, Copy, Debug)]
enum Rule {
    /// Sizes along the axes that `axes` names, or along all.
    Sizes,
    /// By how much the data grows along those.
    Scales,
    /// Where a region of the data begins along each axis, and then where it ends, in shares.
    Region,
    /// Ends along axes that an operand names, or the first ones.
    Ends,
    Parts,
    Shape,
    /// Axes that the results have beside those of the data.
    NewAxes,
    /// Axes of one element.
    SingleAxes,
    Axes,
    /// The number that stands for no, then the one for yes.
    NoAndYes,
}

/// The content of an operand, its name, and the part that is taken.
fn rule(operator: &str, operand: usize) -> Option<(Rule, &'static str, &'static str)> {
    Some(match (operator, operand) {
        ("Resize", 3) | ("CenterCropPad", 1) => (Rule::Sizes, "the sizes in", "those of the data"),
        ("Resize", 2) | ("Upsample", 1) => (Rule::Scales, "the scales of", "twice as large"),
        ("Resize", 1) => (Rule::Region, "the region of", "all of the data"),
        ("Slice", 2) => (Rule::Ends, "the ends of", "all of the data"),
        ("Split" | "SplitToSequence", 1) => (Rule::Parts, "the parts of", "of one size"),
        ("Reshape", 1) => (Rule::Shape, "the shape in", "that of the data"),
        ("Unsqueeze", 1) => (Rule::NewAxes, "the axes of", "behind the first one"),
        ("Squeeze", 1) => (Rule::SingleAxes, "the axes of", "those of one element"),
        ("CumSum" | "CumProd", 1) | ("Pad" | "Slice", 3) => {
            (Rule::Axes, "the axes of", "the last ones")
        }
        (reduce, 1) if reduce.starts_with("Reduce") => (Rule::Axes, "the axes of", "the last ones"),
        ("OneHot", 2) => (Rule::NoAndYes, "the values of", "0 and 1"),
        _ => return None,
    })
}

struct Listed {
    numbers: Vec<FillKind>,
    rule: Rule,
    reason: String,
}

impl Question<'_> {
    /// Ways to fill an input that lists such numbers, the best first; absent too where they are
    /// unknown or fail elsewhere.
    pub(super) fn lists(&self) -> Option<Vec<Fill>> {
        let listed = self.listed()?;
        let is_safe = listed.numbers.iter().all(|number| match number {
            FillKind::Constant(value) => self.allows(*value),
            _ => true,
        });
        let plain = format!("{}, or 1 everywhere", listed.reason);
        let mut fills = vec![Fill::steering(columns(listed.numbers), listed.reason)];
        // Worth a try where the numbers are refused.
        if matches!(listed.rule, Rule::Sizes | Rule::Scales | Rule::Shape)
            && fills[0].kind != FillKind::Constant(1.0)
        {
            fills.push(self.constant(1.0, plain));
        }
        is_safe.then_some(fills)
    }

    fn listed(&self) -> Option<Listed> {
        let count = numbers_of(self.shapes.get(self.info.name.exact())?)?;
        let operands = places::operands(self.flow, self.info.name.exact(), count).into_iter();
        let ruled: Vec<_> = operands
            .filter_map(|(call, operand, part)| {
                let rule = rule(&call.operator(), operand)?;
                Some((call, part, rule))
            })
            .collect();
        if ruled.is_empty() {
            return None;
        }
        let of_two = self.of_two();
        let (mut numbers, mut decided, mut is_whole) = (vec![None; count], None, true);
        for (call, part, (rule, what, taken)) in ruled {
            let data = data(call, &of_two);
            let list = Operand { call, part, data }
                .numbers(rule)
                .unwrap_or_default();
            let Some(own) = part.of(&list).filter(|own| !own.contains(&None)) else {
                is_whole = false;
                continue;
            };
            for (number, own) in numbers[part.first..].iter_mut().zip(own) {
                *number = number.take().or_else(|| own.clone());
            }
            decided.get_or_insert_with(|| (rule, format!("{what} {}: {taken}", call.words())));
        }
        let (rule, reason) = decided.filter(|_| is_whole || !numbers.contains(&None))?;
        // Numbers that nothing reads as such are 1.
        let numbers = numbers.into_iter();
        let numbers = numbers.map(|number| number.unwrap_or(FillKind::Constant(1.0)));
        Some(Listed {
            numbers: numbers.collect(),
            rule,
            reason,
        })
    }

    /// Sizes of values with two samples.
    fn of_two(&self) -> Flow<'_> {
        let mut shapes = self.shapes.clone();
        for size in shapes.values_mut().flatten() {
            size.get_or_insert(2);
        }
        measured(self.graph, &shapes)
    }
}

fn numbers_of(shape: &[Option<u64>]) -> Option<usize> {
    let count = match shape {
        [] => 1,
        [others @ .., Some(count)] if others.iter().all(|&size| size == Some(1)) => *count,
        _ => return None,
    };
    (1..=MOST_NUMBERS)
        .contains(&count)
        .then_some(count as usize)
}

fn columns(mut numbers: Vec<FillKind>) -> FillKind {
    let are_same = numbers.windows(2).all(|pair| pair[0] == pair[1]);
    if are_same {
        numbers.swap_remove(0)
    } else {
        FillKind::Columns(numbers)
    }
}

/// An end that cuts nothing off.
const ALL: FillKind = FillKind::Constant(i32::MAX as f64);

/// A number for each place, as far as each is known.
type List = Vec<Option<FillKind>>;

/// Sizes of what an operator works on: what is more with two samples than with one grows with the
/// batch.
fn data(call: Call<'_>, of_two: &Flow<'_>) -> Option<List> {
    let one = call.dims(0)?;
    let two = of_two.dims(call.node.inputs.first()?)?;
    (one.len() == two.len()).then(|| {
        let sizes = one.into_iter().zip(two);
        sizes.map(|(one, two)| growing(one?, two?)).collect()
    })
}

/// A size that is `one` with one sample, and `two` with two.
fn growing(one: u64, two: u64) -> Option<FillKind> {
    if one == two {
        Some(FillKind::Constant(one as f64))
    } else {
        (one.checked_mul(2) == Some(two)).then_some(FillKind::PerSample(one))
    }
}

fn numbers(values: impl IntoIterator<Item = f64>) -> List {
    let values = values.into_iter();
    values
        .map(|value| Some(FillKind::Constant(value)))
        .collect()
}

/// An operand that the input ends in, or a part of it.
struct Operand<'c> {
    call: Call<'c>,
    part: Part,
    data: Option<List>,
}

impl Operand<'_> {
    fn numbers(&self, rule: Rule) -> Option<List> {
        let total = self.part.total();
        match rule {
            Rule::Sizes => self.sizes(),
            Rule::Scales => self.scales(),
            Rule::Region => total.map(region),
            Rule::Ends => Some(self.ends(total?)),
            Rule::Parts => self.parts(total?),
            Rule::Shape => self.shape(),
            Rule::NewAxes => {
                let first = usize::from(self.rank().is_some_and(|rank| rank > 0));
                Some(numbers((0..total?).map(|at| (first + at) as f64)))
            }
            Rule::SingleAxes => self.single_axes(total?),
            Rule::Axes => {
                let axes = self.last_axes(total?).into_iter();
                Some(numbers(axes.map(|axis| axis as f64)))
            }
            Rule::NoAndYes => Some(numbers([0.0, 1.0])),
        }
    }

    fn rank(&self) -> Option<usize> {
        self.data.as_ref().map(Vec::len)
    }

    fn named_axes(&self, rank: usize) -> Option<Vec<usize>> {
        match self.call.integers("axes") {
            Some(axes) => placed(axes, rank),
            None => Some((0..rank).collect()),
        }
    }

    /// The data's own sizes; those of an image that is fed where an axis of space has none that is
    /// known.
    fn sizes(&self) -> Option<List> {
        let data = self.data.as_ref()?;
        let image = self.call.flow.image_size.map(FillKind::Constant);
        let axes = self.named_axes(data.len())?.into_iter();
        let sizes = axes.map(|axis| {
            let known = data[axis].clone();
            known.or_else(|| image.clone().filter(|_| axis >= 2))
        });
        Some(sizes.collect())
    }

    /// The data's own sizes along the axes that are cut; what is not known is cut nowhere.
    fn ends(&self, count: usize) -> List {
        let axes = self.cut_axes(count).into_iter();
        axes.map(|axis| Some(self.size_of(axis).unwrap_or(ALL)))
            .collect()
    }

    fn size_of(&self, axis: i64) -> Option<FillKind> {
        let data = self.data.as_ref()?;
        data[place(axis, data.len())?].clone()
    }

    fn cut_axes(&self, count: usize) -> Vec<i64> {
        match self.call.operand(3) {
            "" => (0..count as i64).collect(),
            axes => match self.call.flow.constant(axes) {
                Some(axes) => whole(axes),
                None => self.last_axes(count),
            },
        }
    }

    /// The last axes, counted from the end where it is not known how many there are.
    fn last_axes(&self, count: usize) -> Vec<i64> {
        let end = self.rank().filter(|&rank| rank >= count).unwrap_or(0) as i64;
        (end - count as i64..end).collect()
    }

    /// Twice as large along axes of space, which are neither that of the batch nor that of the
    /// colours.
    fn scales(&self) -> Option<List> {
        let rank = match &self.data {
            Some(data) => data.len(),
            None => self.part.total()?,
        };
        let colours = self.colours_axis(rank);
        let axes = self.named_axes(rank)?.into_iter();
        Some(numbers(axes.map(|axis| {
            let is_of_space = rank > 2 && axis != 0 && axis != colours;
            if is_of_space { 2.0 } else { 1.0 }
        })))
    }

    fn colours_axis(&self, rank: usize) -> usize {
        if rank > 2 && self.are_colours(-1) && !self.are_colours(1) {
            rank - 1
        } else {
            1
        }
    }

    fn are_colours(&self, axis: i64) -> bool {
        matches!(self.size_of(axis), Some(FillKind::Constant(size)) if COLOURS.contains(&size))
    }

    /// Parts that add up to the size of the axis, each as large as the others or one larger.
    fn parts(&self, count: usize) -> Option<List> {
        let Some(FillKind::Constant(size)) = self.size_of(self.call.integer("axis", 0)) else {
            return None;
        };
        let (each, more) = ((size / count as f64).floor(), size % count as f64);
        Some(numbers((0..count).map(|at| {
            if (at as f64) < more { each + 1.0 } else { each }
        })))
    }

    /// A shape that keeps all elements, and the batch: 0 is the size that the data has, and -1 what
    /// is left.
    fn shape(&self) -> Option<List> {
        let (rank, count) = (self.rank()?, self.part.count);
        if !self.part.is_all() || self.call.integer("allowzero", 0) != 0 {
            return None;
        }
        Some(numbers((0..count).map(|at| match at {
            at if at >= rank => 1.0,
            at if at + 1 == count && count < rank => -1.0,
            _ => 0.0,
        })))
    }

    /// Axes that have one element, whatever the batch is.
    fn single_axes(&self, count: usize) -> Option<List> {
        let sizes = self.data.as_ref()?.iter().enumerate();
        let axes: Vec<f64> = sizes
            .filter(|(_, size)| **size == Some(FillKind::Constant(1.0)))
            .map(|(axis, _)| axis as f64)
            .take(count)
            .collect();
        (axes.len() == count).then(|| numbers(axes))
    }
}

/// From 0 to 1 along each axis.
fn region(count: usize) -> List {
    numbers((0..count).map(|at| if 2 * at < count { 0.0 } else { 1.0 }))
}
