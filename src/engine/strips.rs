//! Where the elements of one sample lie in a tensor of a batch.

/// A tensor whose samples lie along one axis: for each place of the axes before it there is a strip
/// of each sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Strips {
    /// Strips of one sample.
    pub count: usize,
    /// Length of a strip, in bytes.
    pub length: usize,
}

/// The place of a sample in a batch of a size.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub sample: usize,
    pub size: usize,
}

impl Strips {
    /// Of a tensor of one sample that takes so many bytes.
    pub(super) fn of(shape: &[usize], axis: usize, bytes: usize) -> Strips {
        let count = shape.iter().take(axis).product::<usize>().max(1);
        Strips {
            count,
            length: bytes / count,
        }
    }

    /// Length of a tensor of one sample, in bytes.
    pub(super) fn bytes(self) -> usize {
        self.count * self.length
    }

    /// Copies one sample into a batch.
    #[inline]
    pub(super) fn put(self, one: &[u8], batch: &mut [u8], at: Place) {
        for strip in 0..self.count {
            let to = (strip * at.size + at.sample) * self.length;
            let from = strip * self.length;
            batch[to..to + self.length].copy_from_slice(&one[from..from + self.length]);
        }
    }

    /// Copies one sample out of a batch.
    #[inline]
    pub(super) fn take(self, batch: &[u8], one: &mut [u8], at: Place) {
        for strip in 0..self.count {
            let from = (strip * at.size + at.sample) * self.length;
            let to = strip * self.length;
            one[to..to + self.length].copy_from_slice(&batch[from..from + self.length]);
        }
    }
}

/// The axis along which the samples of a batch lie in an output, which is as many times as long
/// there as the batch has more samples; `Ok(None)` where the output is as large whatever the batch,
/// and `Err` where its size follows from something else.
pub(super) fn axis(one: &Sized<'_>, other: &Sized<'_>) -> Result<Option<usize>, ()> {
    if one.shape.len() != other.shape.len() {
        return Err(());
    }
    let mut unlike = (0..one.shape.len()).filter(|&axis| one.shape[axis] != other.shape[axis]);
    let Some(axis) = unlike.next() else {
        return Ok(None);
    };
    let grows = one.shape[axis] * other.size == other.shape[axis] * one.size;
    if grows && one.shape[axis].is_multiple_of(one.size) && unlike.next().is_none() {
        Ok(Some(axis))
    } else {
        Err(())
    }
}

/// The shape of an output of a batch of so many samples.
pub(super) struct Sized<'s> {
    pub size: usize,
    pub shape: &'s [usize],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_put_in_and_taken_out_along_any_axis() {
        // Two rows of two samples of two columns of one byte each.
        let strips = Strips::of(&[2, 1, 2], 1, 4);
        assert_eq!(
            (strips, strips.bytes()),
            (
                Strips {
                    count: 2,
                    length: 2
                },
                4
            )
        );
        let mut batch = [0; 8];
        strips.put(&[1, 2, 3, 4], &mut batch, Place { sample: 0, size: 2 });
        strips.put(&[5, 6, 7, 8], &mut batch, Place { sample: 1, size: 2 });
        assert_eq!(batch, [1, 2, 5, 6, 3, 4, 7, 8]);
        let mut one = [0; 4];
        strips.take(&batch, &mut one, Place { sample: 1, size: 2 });
        assert_eq!(one, [5, 6, 7, 8]);
        let first = Strips::of(&[1, 2, 2], 0, 4);
        assert_eq!(
            first,
            Strips {
                count: 1,
                length: 4
            }
        );
    }

    #[test]
    fn samples_of_an_output_lie_along_the_axis_that_grows_with_the_batch() {
        let of = |one: &[usize], size: usize, other: &[usize]| {
            axis(
                &Sized {
                    size: 1,
                    shape: one,
                },
                &Sized { size, shape: other },
            )
        };
        assert_eq!(of(&[1, 10], 4, &[4, 10]), Ok(Some(0)));
        assert_eq!(of(&[3, 2, 5], 4, &[3, 8, 5]), Ok(Some(1)));
        assert_eq!(of(&[7], 4, &[7]), Ok(None));
        assert_eq!(of(&[7, 2], 4, &[9, 2]), Err(()));
        assert_eq!(of(&[1, 1], 4, &[4, 4]), Err(()));
        assert_eq!(of(&[1], 4, &[1, 4]), Err(()));
    }
}
