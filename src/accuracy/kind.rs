//! The kind of an output: decided by its shape and by what its values have in common, not by its
//! name.

use crate::record::OutputKind;

/// Widths from which on the values of a sample are enough to tell more than scores of classes from
/// them.
const MIN_WIDTH: usize = 64;
/// Correlation of neighbours from which on values are a curve. Scores of classes that stand in a
/// sensible order may correlate a little.
const SMOOTH: f64 = 0.8;
/// As far as rounding, also that of half precision, may take a sum or a length from 1.
const TOLERANCE: f64 = 0.01;

#[derive(Clone, Debug, Default)]
pub(super) struct Signs {
    samples_count: u64,
    /// Samples without negative values that sum to 1.
    shares_count: u64,
    /// Samples of logarithms of such values.
    log_shares_count: u64,
    /// Samples of length 1.
    unit_count: u64,
    /// Samples with mean 0 and deviation 1.
    standard_count: u64,
    /// Samples within -1 and 1, some of them negative.
    bounded_count: u64,
    correlations: Vec<f64>,
}

impl Signs {
    pub(super) fn add(&mut self, sample: &[f64]) {
        if sample.is_empty() || sample.iter().any(|value| !value.is_finite()) {
            return;
        }
        let n = sample.len() as f64;
        let mean = sample.iter().sum::<f64>() / n;
        let square = sample.iter().map(|value| value * value).sum::<f64>();
        let deviation = (square / n - mean * mean).max(0.0).sqrt();
        let has_negative = sample.iter().any(|value| *value < 0.0);
        let is_bounded = sample.iter().all(|value| value.abs() <= 1.0);
        self.samples_count += 1;
        self.shares_count += u64::from(!has_negative && is_one(mean * n));
        self.log_shares_count += u64::from(are_log_shares(sample));
        self.unit_count += u64::from(is_one(square.sqrt()));
        self.standard_count += u64::from(mean.abs() < TOLERANCE && is_one(deviation));
        self.bounded_count += u64::from(has_negative && is_bounded);
        if deviation > 0.0 {
            let products = sample
                .windows(2)
                .map(|pair| (pair[0] - mean) * (pair[1] - mean));
            self.correlations
                .push(products.sum::<f64>() / (n * deviation * deviation));
        }
    }

    /// The kind of output. `shape` is that of one sample.
    pub(super) fn kind(&self, shape: &[usize]) -> OutputKind {
        let longer: Vec<usize> = shape.iter().copied().filter(|&size| size != 1).collect();
        match longer.as_slice() {
            [] => OutputKind::Numbers,
            [width] => self.kind_of_row(*width, shape),
            [channels, length] if *channels <= 8 && *length >= MIN_WIDTH && self.is_smooth() => {
                OutputKind::Signal
            }
            _ if is_image(shape) => OutputKind::Image,
            _ => OutputKind::Numbers,
        }
    }

    /// Whether all samples are shares of 1, or their logarithms: probabilities of classes.
    pub(super) fn are_shares(&self) -> bool {
        self.all(self.shares_count) || self.all(self.log_shares_count)
    }

    /// Whether all samples, of so many values, are directions or normalized.
    pub(super) fn are_directions(&self, width: usize) -> bool {
        width >= 8 && (self.all(self.unit_count) || (width >= 16 && self.all(self.standard_count)))
    }

    fn all(&self, count: u64) -> bool {
        self.samples_count > 0 && count == self.samples_count
    }

    fn kind_of_row(&self, width: usize, shape: &[usize]) -> OutputKind {
        let is_behind_channel = shape.len() > 1 && shape.last() == Some(&width);
        if self.are_shares() || width < 8 {
            return OutputKind::Classes;
        }
        if self.are_directions(width) {
            return OutputKind::Vector;
        }
        match width >= MIN_WIDTH {
            true if self.is_smooth() => OutputKind::Signal,
            true if self.all(self.bounded_count) && is_behind_channel => OutputKind::Signal,
            true if self.all(self.bounded_count) => OutputKind::Vector,
            _ => OutputKind::Classes,
        }
    }

    /// Whether neighbours are much alike, as they are along a curve.
    pub(super) fn is_smooth(&self) -> bool {
        let n = self.correlations.len() as f64;
        self.correlations.iter().sum::<f64>() / n >= SMOOTH
    }
}

fn is_one(value: f64) -> bool {
    (value - 1.0).abs() < TOLERANCE
}

fn are_log_shares(sample: &[f64]) -> bool {
    sample.iter().all(|value| *value <= 0.0) && is_one(sample.iter().map(|value| value.exp()).sum())
}

/// Whether a sample has the shape of an image: up to four channels before or behind rows and
/// columns.
fn is_image(shape: &[usize]) -> bool {
    match *shape {
        [channels, height, width] | [height, width, channels] if channels <= 4 => {
            height >= 8 && width >= 8
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(shape: &[usize], value: impl Fn(usize, usize) -> f64) -> OutputKind {
        let mut signs = Signs::default();
        for sample in 0..3 {
            let values: Vec<f64> = (0..shape.iter().product())
                .map(|index| value(sample, index))
                .collect();
            signs.add(&values);
        }
        signs.kind(shape)
    }

    /// A number from -1 to 1 that its neighbours say nothing of.
    fn rough(sample: usize, index: usize) -> f64 {
        ((sample * 7919 + index * 104_729 + index * index * 31) % 2003) as f64 / 1001.5 - 1.0
    }

    #[test]
    fn scores_of_any_number_of_classes_are_classes() {
        let scores = |sample: usize, index: usize| 5.0 * rough(sample, index);
        for shape in [&[10][..], &[1000, 1, 1], &[1, 50_000]] {
            assert_eq!(kind(shape, scores), OutputKind::Classes, "{shape:?}");
        }
        let shares = kind(&[64], |_, index| if index == 3 { 0.37 } else { 0.01 });
        assert_eq!(shares, OutputKind::Classes);
        let few = kind(&[3], |sample, index| ((sample + index) as f64).sin());
        assert_eq!(few, OutputKind::Classes);
    }

    #[test]
    fn curve_over_time_is_a_signal() {
        let wave = |sample: usize, index: usize| 0.5 * ((index + sample) as f64 / 5.0).sin();
        for shape in [&[1600][..], &[1, 1600], &[2, 800], &[1600, 1]] {
            assert_eq!(kind(shape, wave), OutputKind::Signal, "{shape:?}");
        }
        let found = kind(&[1, 400], rough);
        assert_eq!(
            found,
            OutputKind::Signal,
            "within -1 and 1, behind a channel"
        );
    }

    #[test]
    fn directions_and_images_are_no_classes() {
        let unit = kind(
            &[32],
            |sample, index| if index % 32 == sample { -1.0 } else { 0.0 },
        );
        assert_eq!(unit, OutputKind::Vector);
        let standard = kind(&[32], |_, index| if index % 2 == 0 { 1.0 } else { -1.0 });
        assert_eq!(standard, OutputKind::Vector);
        for (shape, expected) in [
            (&[384][..], OutputKind::Vector),
            (&[3, 16, 16], OutputKind::Image),
            (&[16, 16, 1], OutputKind::Image),
            (&[100, 4], OutputKind::Numbers),
        ] {
            assert_eq!(kind(shape, rough), expected, "{shape:?}");
        }
        assert_eq!(kind(&[], |_, _| 4.0), OutputKind::Numbers);
    }
}
