//! Operators that pick elements by place, or make values of a size that is given.

use super::{Call, Dims, Expr, Made, Relation, Side, len, number, unknown};

impl Call<'_> {
    pub(super) fn picked(&self) -> Made {
        let made = match self.operator() {
            "Gather" | "GatherBlockQuantized" => self.gather(),
            "GatherElements" => self.gather_elements(),
            "GatherND" => self.gather_nd(),
            "OneHot" => self.one_hot(),
            "Expand" => self.expand(),
            "Tile" => self.tile(),
            "ConstantOfShape" => match self.elements(0) {
                Some(sizes) => Some(sizes.to_vec()),
                None => self.unknown_list(0),
            },
            "Range" => Some(vec![self.range().unwrap_or_default()]),
            "EyeLike" => self.owned(0),
            "RandomNormal" | "RandomUniform" => self.stored_sizes("shape"),
            "NonZero" => Some(vec![len(self.dims(0)), Expr::Unknown]),
            "Unique" => return Some(vec![self.compress(), unknown(1), unknown(1), unknown(1)]),
            "Compress" => self.compress(),
            "Multinomial" => self.samples(),
            _ => return None,
        };
        Some(vec![made])
    }

    fn gather(&self) -> Dims {
        let (table, indices) = (self.dims(0)?, self.dims(1)?);
        let axis = self.axis(0, table.len())?;
        let rows = table.get(axis)?;
        self.reached(rows);
        self.looked_up(rows);
        Some([&table[..axis], indices, &table[axis + 1..]].concat())
    }

    /// Positions must lie in the table; positions that go as far as an axis is long bound that
    /// axis.
    fn looked_up(&self, rows: &Expr) {
        self.positions();
        if let (true, Some(rows), Some(below)) = (self.is_stored(0), rows.number(), self.below(1)) {
            let does = format_args!("reads positions from a table of {rows}");
            self.bound(Relation::AtMost, below, rows, does);
        }
    }

    /// Places that are known must be there, from whichever end they count.
    pub(super) fn reached(&self, size: &Expr) {
        let least = match self.numbers(1) {
            Some(places) => places.iter().map(reach).max(),
            None => self.below(1).and_then(Expr::number),
        };
        let least = least.unwrap_or(0);
        self.at_least(size, least, format_args!("picks out of {least} or more"));
    }

    fn gather_elements(&self) -> Dims {
        let dims = self.dims(0);
        if let Some(size) = dims.and_then(|dims| dims.get(self.axis(0, dims.len())?)) {
            self.reached(size);
        }
        self.owned(1)
    }

    fn gather_nd(&self) -> Dims {
        let (last, outer) = self.dims(1)?.split_last()?;
        let batch = usize::try_from(self.integer("batch_dims", 0)).ok()?;
        let taken = batch + usize::try_from(last.number()?).ok()?;
        Some([outer, self.dims(0)?.get(taken..)?].concat())
    }

    fn one_hot(&self) -> Dims {
        let mut made = self.owned(0)?;
        made.insert(self.axis(-1, made.len() + 1)?, self.size(1));
        Some(made)
    }

    fn expand(&self) -> Dims {
        let dims = self.owned(0)?;
        let Some(wanted) = self.elements(1) else {
            return unknown(self.unknown_list(1)?.len().max(dims.len()));
        };
        let [one, other] = [dims, wanted.to_vec()].map(|dims| Side {
            dims,
            is_stored: false,
        });
        Some(self.broadcast(&one, &other).dims)
    }

    fn tile(&self) -> Dims {
        let dims = self.dims(0)?;
        let Some(times) = self.elements(1).filter(|times| times.len() == dims.len()) else {
            return unknown(dims.len());
        };
        let sizes = dims.iter().zip(times);
        Some(sizes.map(|(size, times)| size.times(times)).collect())
    }

    /// How many numbers lie between the ends; unknown where an end or the step is.
    fn range(&self) -> Option<Expr> {
        let (start, end) = (self.first(0)?, self.first(1)?);
        let count = match self.first_number(2)? {
            step @ 1.. => end.minus(start).over_up(step),
            step @ ..=-1 => start.minus(end).over_up(step.saturating_neg()),
            0 => return None,
        };
        Some(count.larger(&number(0)))
    }

    fn compress(&self) -> Dims {
        match self.node.integer("axis") {
            Some(_) => self.opened(),
            None => unknown(1),
        }
    }

    /// The sizes with an axis that is not known.
    fn opened(&self) -> Dims {
        let mut made = self.owned(0)?;
        let axis = self.axis(0, made.len())?;
        made[axis] = Expr::Unknown;
        Some(made)
    }

    fn samples(&self) -> Dims {
        let batch = self.dims(0)?.first()?;
        Some(vec![batch.clone(), number(self.integer("sample_size", 1))])
    }
}

/// The least number of elements among which a place is.
fn reach(place: &i64) -> i64 {
    match *place {
        from_end @ ..0 => from_end.saturating_neg(),
        place => place.saturating_add(1),
    }
}
