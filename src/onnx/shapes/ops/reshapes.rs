//! Operators that give elements another order of axes.

use super::{Call, Dims, Expr, Made, axes, from_start, len, number, numbers, product, unknown};

impl Call<'_> {
    pub(super) fn reshaped(&self) -> Made {
        let made = match self.operator() {
            "Reshape" => self.reshape(),
            "Transpose" => self.transpose(),
            "Squeeze" => self.squeeze(),
            "Unsqueeze" => self.unsqueeze(),
            "Flatten" => self.flatten(),
            "Concat" | "QLinearConcat" => self.concat(),
            "Split" => {
                let parts = self.split();
                return parts.or_else(|| Some(vec![None; self.node.outputs.len()]));
            }
            "SplitToSequence" => None,
            "Shape" => Some(vec![len(self.shape())]),
            "Size" => Some(Vec::new()),
            _ => return None,
        };
        Some(vec![made])
    }

    fn reshape(&self) -> Dims {
        let Some(mut made) = self.sizes("shape", 1) else {
            // It is known at most how many axes there are.
            return self.unknown_list(1);
        };
        self.keep_sizes(&mut made);
        let open = made.iter().position(|size| *size == number(-1));
        match (open, self.dims(0)) {
            (Some(axis), Some(before)) => made[axis] = self.rest(before, &made),
            (Some(axis), None) => made[axis] = Expr::Unknown,
            (None, Some(before)) => self.elements_alike(before, &mut made),
            (None, None) => {}
        }
        Some(made)
    }

    /// A size of 0 is that of before.
    fn keep_sizes(&self, made: &mut [Expr]) {
        let before = self.dims(0).unwrap_or_default();
        for (axis, size) in made.iter_mut().enumerate() {
            if *size == number(0) && !self.is_on("allowzero") {
                *size = before.get(axis).cloned().unwrap_or_default();
            }
        }
    }

    fn rest(&self, before: &[Expr], made: &[Expr]) -> Expr {
        let (mut whole, mut others) = (before.to_vec(), made.to_vec());
        // Axes that stay as they are cancel even where they are not known to be above 0.
        others.retain(|size| {
            let mut sizes = whole.iter();
            let place = sizes.position(|known| known == size && known.is_known());
            *size != number(-1) && place.map(|place| whole.remove(place)).is_none()
        });
        let (whole, others) = (product(&whole), product(&others));
        if let Some(part) = others.number() {
            self.multiple(&whole, part, format_args!("parts elements by {part}"));
        }
        whole.over(&others)
    }

    /// Both sides hold as many elements; an unknown size follows where it is the only one.
    fn elements_alike(&self, before: &[Expr], made: &mut [Expr]) {
        let whole = product(before);
        let others = product(made.iter().filter(|size| size.is_known()));
        let mut gaps = made.iter_mut().filter(|size| !size.is_known());
        match (gaps.next(), gaps.next()) {
            (None, _) => {
                self.equal(&whole, &others, "keeps the number of elements");
            }
            (Some(gap), None) => {
                let size = whole.over(&others);
                if size.times(&others) == whole {
                    *gap = size;
                }
            }
            (Some(_), Some(_)) => {}
        }
    }

    fn transpose(&self) -> Dims {
        let dims = self.dims(0)?;
        let Some(order) = self.integers("perm") else {
            return Some(dims.iter().rev().cloned().collect());
        };
        if order.len() != dims.len() {
            return None;
        }
        let sizes = order.into_iter();
        sizes
            .map(|axis| dims.get(usize::try_from(axis).ok()?).cloned())
            .collect()
    }

    fn squeeze(&self) -> Dims {
        let dims = self.dims(0)?;
        let gone = match self.attribute_or_input("axes", 1) {
            Some(given) => axes(&given, dims.len()),
            None if self.input(1).is_some() => return None,
            None => ones(dims)?,
        };
        for &axis in &gone {
            let does = "leaves out an axis that must be 1 long";
            self.equal(&dims[axis], &number(1), does);
        }
        let left = (0..dims.len()).filter(|axis| !gone.contains(axis));
        Some(left.map(|axis| dims[axis].clone()).collect())
    }

    fn unsqueeze(&self) -> Dims {
        let dims = self.dims(0)?;
        let given = self.attribute_or_input("axes", 1)?;
        let rank = dims.len() + given.len();
        let (new, mut rest) = (axes(&given, rank), dims.iter());
        (0..rank)
            .map(|axis| match new.contains(&axis) {
                true => Some(number(1)),
                false => rest.next().cloned(),
            })
            .collect()
    }

    fn flatten(&self) -> Dims {
        let Some(dims) = self.dims(0) else {
            return unknown(2);
        };
        let axis = from_start(self.integer("axis", 1), dims.len() as i64);
        let (rows, columns) = dims.split_at(usize::try_from(axis).ok()?.min(dims.len()));
        Some(vec![product(rows), product(columns)])
    }

    fn concat(&self) -> Dims {
        // There, scale and zero point of the output come first, and each input has its own after
        // it.
        let (first, step) = match self.operator() {
            "QLinearConcat" => (2, 3),
            _ => (0, 1),
        };
        let mut made = self.owned(first)?;
        let axis = self.axis(1, made.len())?;
        for place in (first + step..self.inputs.len()).step_by(step) {
            let dims = self.dims(place)?;
            if dims.len() != made.len() {
                return None;
            }
            for (at, (whole, size)) in made.iter_mut().zip(dims).enumerate() {
                *whole = match at == axis {
                    true => whole.plus(size),
                    false => self.equal(whole, size, "joins what is alike on other axes"),
                };
            }
        }
        Some(made)
    }

    fn split(&self) -> Made {
        let dims = self.dims(0)?;
        let axis = self.axis(0, dims.len())?;
        let (size, count) = (&dims[axis], self.node.outputs.len());
        let sizes = match self.sizes("split", 1) {
            Some(sizes) => {
                let whole = sizes.iter().fold(number(0), |sum, size| sum.plus(size));
                self.equal(size, &whole, "parts what is as long as its parts");
                sizes
            }
            None if self.input(1).is_some() => vec![Expr::Unknown; count],
            None => equal_parts(size, count),
        };
        let parts = sizes.into_iter().map(|size| {
            let mut part = dims.to_vec();
            part[axis] = size;
            Some(part)
        });
        Some(parts.collect())
    }
}

/// The axes that are 1 long, where all are known.
fn ones(dims: &[Expr]) -> Option<Vec<usize>> {
    let sizes = numbers(dims)?;
    let axes = (0..sizes.len()).filter(|&axis| sizes[axis] == 1);
    Some(axes.collect())
}

/// Parts of one size; the last takes what is left, which is as much where the size divides.
fn equal_parts(size: &Expr, count: usize) -> Vec<Expr> {
    let part = size.over_up(count as i64);
    let last = size.minus(&part.times(&number(count as i64 - 1)));
    let mut parts = vec![part; count];
    parts
        .last_mut()
        .into_iter()
        .for_each(|end| *end = last.clone());
    parts
}
