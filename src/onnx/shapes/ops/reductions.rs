//! Operators that make fewer elements of an axis, or one.

use super::{Call, Dims, Made, axes, number, unknown};

impl Call<'_> {
    pub(super) fn reduced(&self) -> Made {
        let made = match self.operator() {
            "ArgMax" | "ArgMin" => self.one_axis(),
            "TopK" => return Some(vec![self.top(); 2]),
            "Det" => self.batch_of_matrices(),
            operator if operator.starts_with("Reduce") || operator == "QLinearReduceMean" => {
                self.reduce()
            }
            _ => return None,
        };
        Some(vec![made])
    }

    fn batch_of_matrices(&self) -> Dims {
        let dims = self.dims(0)?;
        Some(dims[..dims.len().checked_sub(2)?].to_vec())
    }

    fn keeps_axes(&self) -> bool {
        self.integer("keepdims", 1) == 1
    }

    fn reduce(&self) -> Dims {
        let dims = self.dims(0)?;
        let given = self.attribute_or_input("axes", 1);
        let may_say = self.input(1).is_some() && self.operator() != "QLinearReduceMean";
        if given.is_none() && may_say {
            return unknown(dims.len()).filter(|_| self.keeps_axes());
        }
        let given = given.unwrap_or_default();
        if given.is_empty() && self.is_on("noop_with_empty_axes") {
            return Some(dims.to_vec());
        }
        let gone = axes(&given, dims.len());
        let left = dims.iter().enumerate().filter_map(|(axis, size)| {
            if gone.is_empty() || gone.contains(&axis) {
                return self.keeps_axes().then(|| number(1));
            }
            Some(size.clone())
        });
        Some(left.collect())
    }

    fn one_axis(&self) -> Dims {
        let mut made = self.owned(0)?;
        let axis = self.axis(0, made.len())?;
        made.remove(axis);
        if self.keeps_axes() {
            made.insert(axis, number(1));
        }
        Some(made)
    }

    fn top(&self) -> Dims {
        let mut made = self.owned(0)?;
        let axis = self.axis(-1, made.len())?;
        let count = self.node.integer("k").map(number);
        let count = count.unwrap_or_else(|| self.size(1));
        if let Some(count) = count.number() {
            self.at_least(
                &made[axis],
                count,
                format_args!("takes the {count} largest"),
            );
        }
        made[axis] = count;
        Some(made)
    }
}
