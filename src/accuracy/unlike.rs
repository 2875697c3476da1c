//! Outputs that cannot be compared, and in how many samples.

use std::ops::Range;

use crate::record::NotComparable;

#[derive(Debug)]
pub(super) struct Unlike {
    pub(super) output: String,
    /// Why, of the first samples that are not.
    reason: String,
    /// The first samples that are not comparable: several only where they came together. Absent
    /// where it holds of all samples, whatever they are.
    first: Option<Range<u64>>,
    samples_count: u64,
}

impl Unlike {
    pub(super) fn new(output: &str, first: Option<Range<u64>>, reason: String) -> Self {
        Unlike {
            output: output.to_owned(),
            reason,
            samples_count: first.as_ref().map_or(0, count),
            first,
        }
    }

    pub(super) fn add(&mut self, samples: &Range<u64>) {
        self.samples_count += count(samples);
    }

    /// The entry of the record, with so many further samples that are comparable.
    pub(super) fn not_comparable(&self, alike_count: u64) -> NotComparable {
        NotComparable {
            output: self.output.as_str().into(),
            reason: format!("{}{}", self.reason, self.place(alike_count)).into(),
        }
    }

    /// ` in sample 3; 18 of 24 samples are unlike the reference's`; empty where there is one
    /// sample, and where it holds of all.
    fn place(&self, alike_count: u64) -> String {
        let all_count = self.samples_count + alike_count;
        let Some(samples) = self.first.as_ref().filter(|_| all_count != 1) else {
            return String::new();
        };
        let (first, last) = (samples.start + 1, samples.end);
        let place = match last > first {
            true => format!("samples {first} to {last} together"),
            false => format!("sample {first}"),
        };
        let verb = if self.samples_count == 1 { "is" } else { "are" };
        format!(
            " in {place}; {} of {all_count} samples {verb} unlike the reference's",
            self.samples_count
        )
    }
}

fn count(samples: &Range<u64>) -> u64 {
    samples.end - samples.start
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Plain;

    /// The reason after further such samples, if any, and so many that are comparable.
    fn reason(first: Option<Range<u64>>, more: Option<Range<u64>>, alike_count: u64) -> Plain {
        let mut unlike = Unlike::new("y", first, "why".into());
        more.iter().for_each(|samples| unlike.add(samples));
        unlike.not_comparable(alike_count).reason
    }

    #[test]
    fn samples_that_cannot_be_compared_are_counted_and_the_first_is_named() {
        for (first, more, alike_count, expected) in [
            (
                2..3,
                None,
                23,
                "why in sample 3; 1 of 24 samples is unlike the reference's",
            ),
            (
                2..3,
                Some(5..6),
                22,
                "why in sample 3; 2 of 24 samples are unlike the reference's",
            ),
            (
                0..8,
                Some(8..16),
                0,
                "why in samples 1 to 8 together; 16 of 16 samples are unlike the reference's",
            ),
            (0..1, None, 0, "why"),
        ] {
            assert_eq!(reason(Some(first), more, alike_count), expected);
        }
    }

    #[test]
    fn what_holds_of_all_is_not_counted() {
        assert_eq!(reason(None, Some(0..8), 3), "why");
    }
}
