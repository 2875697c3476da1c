//! Axes: units, ends and ticks.

use std::collections::BTreeSet;

use crate::analysis::{Estimate, Measured};
use crate::metric::Unit;
use crate::report::words::{number, text};

/// An axis of a chart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AxisView {
    /// Quantity with its unit.
    pub title: String,
    /// How values are spaced.
    pub scale: Scale,
    /// Value at its left or lower end.
    pub low: f64,
    /// Value at its right or upper end; below `low` where the axis is drawn from the top down.
    pub high: f64,
    /// Marked values, with what is written there.
    pub ticks: Vec<Tick>,
}

/// How the values of an axis are spaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// Evenly.
    #[default]
    Linear,
    /// By their logarithm; both ends are positive.
    Log,
    /// One row for each name, the first at the top, at 0.
    Names,
}

/// A marked value.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    /// The value.
    pub at: f64,
    /// Text of the tick.
    pub label: String,
}

impl Tick {
    fn at(at: f64, decimals: usize) -> Self {
        Tick {
            at,
            label: number::with_decimals(at, decimals),
        }
    }

    fn begins_with_one(&self) -> bool {
        self.label
            .trim_start_matches(['0', '.', ','])
            .starts_with('1')
    }
}

const MOST_TICKS: f64 = 6.0;

/// Characters of a name on an axis: more would leave no room for the chart on a phone.
pub(super) const NAME_WIDTH: usize = 22;

/// A unit for people that a whole axis is drawn in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Measure {
    suffix: &'static str,
    factor: f64,
}

impl Measure {
    /// Of values that are in the unit of their axis already, which its title names.
    pub(super) const AS_IS: Measure = Measure {
        suffix: "",
        factor: 1.0,
    };

    /// The unit that suits values up to `largest`, in base units.
    pub(super) fn new(unit: Unit, largest: f64) -> Self {
        let (suffix, factor) = number::unit_of_axis(unit, largest);
        Measure { suffix, factor }
    }

    /// The unit that suits `values`, in base units; `None` where there are none.
    pub(super) fn of(unit: Unit, values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let largest = values.into_iter().reduce(f64::max)?;
        Some(Measure::new(unit, largest))
    }

    pub(super) fn scaled(self, value: f64) -> f64 {
        value / self.factor
    }

    /// Ends of an interval, where there is one.
    pub(super) fn ends(self, estimate: &Estimate) -> Option<(f64, f64)> {
        let ends = estimate.interval()?;
        Some((self.scaled(ends.low), self.scaled(ends.high)))
    }

    /// The smallest and the largest of values in base units.
    fn extent(self, values: impl IntoIterator<Item = f64>) -> (f64, f64) {
        ends(values.into_iter().map(|value| self.scaled(value)))
    }

    /// `latency (ms)`.
    fn title(self, what: &str) -> String {
        match self.suffix.trim_start_matches('/') {
            "" => what.to_owned(),
            "s" if self.suffix.starts_with('/') => format!("{what} (per second)"),
            suffix => format!("{what} ({suffix})"),
        }
    }

    /// An axis of `what` from 0, or from the smallest value if that is negative.
    pub(super) fn with_zero(self, what: &str, values: impl IntoIterator<Item = f64>) -> AxisView {
        let (low, high) = self.extent(values);
        let (low, high) = (low.min(0.0), high.max(0.0));
        AxisView::even(
            self.title(what),
            low,
            if high > low { high } else { low + 1.0 },
        )
    }

    /// An axis around the values, which need not hold 0.
    pub(super) fn around(self, what: &str, values: impl IntoIterator<Item = f64>) -> AxisView {
        let (low, high) = self.extent(values);
        let room = ((high - low) * 0.15)
            .max(high.abs() * 0.005)
            .max(f64::MIN_POSITIVE);
        AxisView::even(self.title(what), low - room, high + room)
    }

    /// An axis from 0 to `last`, without room beyond.
    pub(super) fn until(self, what: &str, last: f64) -> AxisView {
        let mut axis = self.with_zero(what, [last]);
        let last = self.scaled(last);
        axis.high = if last > 0.0 { last * 1.02 } else { axis.high };
        axis.ticks.retain(|tick| tick.at <= axis.high);
        axis
    }

    /// A logarithmic axis around positive values; those that are not are left aside.
    pub(super) fn log(self, what: &str, values: impl IntoIterator<Item = f64>) -> AxisView {
        let (low, high) = self.extent(values.into_iter().filter(|&value| value > 0.0));
        let room = (high / low).powf(0.04).max(1.02);
        let (low, high) = (low / room, high * room);
        AxisView {
            title: self.title(what),
            scale: Scale::Log,
            low,
            high,
            ticks: logarithmic_ticks(low, high),
        }
    }
}

impl AxisView {
    /// The same logarithmic axis with this factor more room at both ends, for names beside marks.
    pub(super) fn widened(mut self, factor: f64) -> Self {
        self.low /= factor;
        self.high *= factor;
        self
    }

    fn even(title: String, low: f64, high: f64) -> Self {
        let step = step((high - low) / MOST_TICKS);
        let (first, last) = ((low / step).floor(), (high / step).ceil());
        AxisView {
            title,
            low: first * step,
            high: last * step,
            ticks: ticks(first, last, step),
            ..AxisView::default()
        }
    }

    /// A logarithmic axis with these values alone marked.
    pub(super) fn counts(title: &str, values: &BTreeSet<u64>) -> Self {
        let values = values.iter().copied();
        let (low, high) = ends(values.clone().map(|value| value as f64));
        let ticks = values.map(|value| Tick {
            at: value as f64,
            label: number::count(value),
        });
        AxisView {
            title: title.into(),
            scale: Scale::Log,
            low: low / 1.15,
            high: high * 1.15,
            ticks: ticks.collect(),
        }
    }

    /// An even axis of places, from 0, that are marked by their names.
    pub(super) fn places(title: &str, names: &[String]) -> Self {
        let ticks = names.iter().enumerate().map(|(place, name)| Tick {
            at: place as f64,
            label: text::shortened(name, NAME_WIDTH),
        });
        AxisView {
            title: title.into(),
            scale: Scale::Linear,
            low: -0.3,
            high: names.len() as f64 - 0.7,
            ticks: ticks.collect(),
        }
    }

    pub(super) fn names<T: AsRef<str>>(names: impl Iterator<Item = T>) -> Self {
        let names: Vec<T> = names.collect();
        let ticks: Vec<Tick> = text::distinct_names(&names, NAME_WIDTH)
            .into_iter()
            .enumerate()
            .map(|(row, label)| Tick {
                at: row as f64,
                label,
            })
            .collect();
        AxisView {
            scale: Scale::Names,
            low: ticks.len() as f64 - 0.5,
            high: -0.5,
            ticks,
            ..AxisView::default()
        }
    }
}

/// A figure and the ends of its interval.
pub(super) fn value_and_ends(figure: &Measured) -> impl Iterator<Item = f64> + use<> {
    figure
        .interval
        .into_iter()
        .flat_map(|ends| [ends.low, ends.high])
        .chain([figure.value])
}

/// The smallest and the largest; 0 and 1 where there are none.
fn ends(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    values
        .into_iter()
        .filter(|value| value.is_finite())
        .map(|value| (value, value))
        .reduce(|(low, high), (value, _)| (low.min(value), high.max(value)))
        .unwrap_or((0.0, 1.0))
}

/// The next of 1, 2 and 5 times a power of ten.
fn step(least: f64) -> f64 {
    let power = 10f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0]
        .into_iter()
        .map(|digit| digit * power)
        .find(|&step| step >= least * 0.999)
        .unwrap_or(10.0 * power)
}

fn ticks(first: f64, last: f64, step: f64) -> Vec<Tick> {
    let decimals = (-step.log10().floor()).max(0.0) as usize;
    (first as i64..=last as i64)
        .map(|index| Tick::at(index as f64 * step, decimals))
        .collect()
}

/// Those of even steps where there are too few round ones, powers of ten alone where there are too
/// many.
fn logarithmic_ticks(low: f64, high: f64) -> Vec<Tick> {
    let mut all = one_two_five(low, high);
    match all.len() {
        0..3 => even_ticks(low, high),
        3..9 => all,
        _ => {
            all.retain(Tick::begins_with_one);
            all
        }
    }
}

fn even_ticks(low: f64, high: f64) -> Vec<Tick> {
    let mut ticks = AxisView::even(String::new(), low, high).ticks;
    ticks.retain(|tick| (low..=high).contains(&tick.at));
    ticks
}

fn one_two_five(low: f64, high: f64) -> Vec<Tick> {
    let powers = low.log10().floor() as i32..=high.log10().ceil() as i32;
    let within = powers
        .flat_map(|power| [1.0, 2.0, 5.0].map(|digit| (digit * 10f64.powi(power), power)))
        .filter(|(at, _)| (low..=high).contains(at));
    within
        .map(|(at, power)| Tick::at(at, power.min(0).unsigned_abs() as usize))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn even(values: &[f64]) -> AxisView {
        Measure::AS_IS.with_zero("x", values.iter().copied())
    }

    fn log(values: &[f64]) -> AxisView {
        Measure::AS_IS.log("x", values.iter().copied())
    }

    #[test]
    fn axes_mark_round_values() {
        for (axis, expected) in [
            (even(&[3.0, 11.3]), "0 2 4 6 8 10 12"),
            (even(&[-0.3, 0.1]), "-0.3 -0.2 -0.1 0.0 0.1"),
            (log(&[0.15, 4.0]), "0.2 0.5 1 2"),
            (log(&[0.02, 15_000.0]), "0.1 1 10 100 1,000 10,000"),
            (log(&[2.2, 2.4]), "2.20 2.25 2.30 2.35 2.40"),
        ] {
            let labels: Vec<&str> = axis.ticks.iter().map(|tick| tick.label.as_str()).collect();
            assert_eq!(labels.join(" "), expected);
        }
    }

    #[test]
    fn even_axis_ends_at_zero_and_a_tick_and_logarithmic_axis_beyond_its_values() {
        let (even, log) = (even(&[3.0, 11.3]), log(&[0.15, 4.0]));
        assert_eq!((even.low, even.high), (0.0, 12.0));
        assert!(log.low < 0.15 && log.high > 4.0, "{log:?}");
    }

    #[test]
    fn equal_values_and_none_at_all_make_an_axis() {
        for axis in [log(&[3.0, 3.0]), even(&[])] {
            assert!(axis.low < axis.high, "{axis:?}");
        }
    }

    #[test]
    fn names_on_an_axis_differ_where_they_are_cut() {
        let names = ["fp32", "int8"].map(|kind| format!("my-production-model-2024-{kind}"));
        let axis = AxisView::names(names.iter());
        let labels: Vec<&str> = axis.ticks.iter().map(|tick| tick.label.as_str()).collect();
        assert_eq!(labels, ["…fp32", "…int8"]);
    }

    #[test]
    fn unit_of_an_axis_suits_its_largest_value() {
        for (unit, largest, shown, title) in [
            (Unit::Ns, 2_130_000.0, 2.13, "x (ms)"),
            (Unit::PerSec, 10.0, 10.0, "x (per second)"),
            (Unit::Ratio, 0.5, 50.0, "x (%)"),
        ] {
            let measure = Measure::new(unit, largest);
            assert_eq!(
                (measure.title("x").as_str(), measure.scaled(largest)),
                (title, shown)
            );
        }
    }
}
