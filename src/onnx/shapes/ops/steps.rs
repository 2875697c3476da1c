//! Operators along the steps of a sequence: attention, the standard's and ONNX Runtime's, and
//! recurrent layers.

use super::{Call, DimRole, Dims, Expr, Made, Relation, number};

impl Call<'_> {
    pub(super) fn stepped(&self) -> Made {
        let made = match self.operator() {
            "Attention" if self.node.is_standard() => self.attention(),
            "Attention" | "QAttention" => self.packed_attention(),
            "MultiHeadAttention" => self.multi_head(),
            "GroupQueryAttention" => self.grouped(),
            "EmbedLayerNormalization" => {
                return self.embedded().or_else(|| Some(vec![None; 3]));
            }
            "LSTM" | "GRU" | "RNN" | "DynamicQuantizeLSTM" => self.recurrence(),
            _ => return None,
        };
        made.or_else(|| Some(vec![None; self.node.outputs.len()]))
    }

    /// Keys and values of all positions: those kept from before and the new ones.
    fn kept(&self, past: usize, new: &Expr) -> Dims {
        let mut made = self.owned(past)?;
        let axis = made.len().checked_sub(2)?;
        self.role(&made[axis], DimRole::Past);
        made[axis] = made[axis].plus(new);
        Some(made)
    }

    /// The same where they have so many axes.
    fn kept_along(&self, past: usize, rank: usize, new: &Expr) -> Dims {
        let past_dims = self.dims(past).filter(|dims| dims.len() == rank);
        past_dims.and_then(|_| self.kept(past, new))
    }

    /// Queries (batch, heads, new, width) or (batch, new, heads x width), as keys and values.
    fn attention(&self) -> Made {
        let (queries, keys, values) = (self.dims(0)?, self.dims(1)?, self.dims(2)?);
        let axis = queries.len().checked_sub(2)?;
        self.equal(&keys[axis], &values[axis], "has a value a key");
        self.attended(0, axis);
        let [key_heads, query_heads] =
            ["kv_num_heads", "q_num_heads"].map(|name| self.node.integer(name).map(number));
        let last = axis + 1;
        let width = match (queries.len(), &key_heads, query_heads) {
            (4, ..) => values[last].clone(),
            (_, Some(keys), Some(queries)) => values[last].over(keys).times(&queries),
            _ => Expr::Unknown,
        };
        let output = [&queries[..last], &[width]].concat();
        let new = &keys[axis];
        let [key, value] = [(4, keys), (5, values)].map(|(past, source)| {
            if self.input(past).is_some() {
                return self.kept(past, new);
            }
            in_heads(source, new, key_heads.as_ref()?)
        });
        Some(vec![Some(output), key, value, None])
    }

    /// Input (batch, length, width), weight (width, 3 x hidden).
    fn packed_attention(&self) -> Made {
        let ([batch, length, width], [rows, columns]) = (self.array(0)?, self.array(1)?);
        self.equal(width, rows, "multiplies as many features");
        self.attended(0, 1);
        let hidden = match self.integers("qkv_hidden_sizes") {
            Some(sizes) => number(*sizes.get(2)?),
            None => columns.over(&number(3)),
        };
        let past = match self.operator() {
            "QAttention" => 8,
            _ => 4,
        };
        let output = vec![batch.clone(), length.clone(), hidden];
        Some(vec![Some(output), self.kept_along(past, 5, length)])
    }

    fn multi_head(&self) -> Made {
        let [batch, length, hidden] = self.array(0)?;
        self.attended(0, 1);
        let width = match self.dims(2) {
            Some([_, _, width]) => width,
            _ => hidden,
        };
        let [keys, values] = [6, 7].map(|past| match self.dims(1) {
            Some([_, new, _]) => self.kept(past, new),
            _ => None,
        });
        let output = [batch, length, width].map(Expr::clone);
        Some(vec![Some(output.to_vec()), keys, values])
    }

    /// Queries (batch, new, heads x width); keys and values kept (batch, heads, positions, width).
    /// ONNX Runtime makes as many positions as the total says, or as the buffer has where that is
    /// shared.
    fn grouped(&self) -> Made {
        let [batch, length, hidden] = self.array(0)?;
        self.attended(0, 1);
        let heads = self.node.integer("num_heads")?;
        let kept_heads = self.node.integer("kv_num_heads")?;
        let all_heads = number(kept_heads.saturating_mul(2).saturating_add(heads));
        let width = match self.input(1) {
            Some(_) => hidden.clone(),
            None => hidden.over(&all_heads).times(&number(heads)),
        };
        let [keys, values] = [3, 4].map(|past| self.kept_along(past, 4, &Expr::Unknown));
        let output = vec![batch.clone(), length.clone(), width];
        Some(vec![Some(output), keys, values])
    }

    /// Indices of words (batch, length), and tables of words, positions and segments.
    fn embedded(&self) -> Made {
        let ([batch, length], [_, hidden]) = (self.array(0)?, self.array(2)?);
        self.role(length, DimRole::Tokens);
        if let Some(most) = self.list_len(3) {
            let does = format_args!("has a table of {most} positions");
            self.bound(Relation::AtMost, length, most, does);
        }
        if let Some([_, segments]) = self.dims(1) {
            self.equal(length, segments, "reads a segment a word");
        }
        let all = Some([batch, length, hidden].map(Expr::clone).to_vec());
        Some(vec![all.clone(), Some(vec![batch.clone()]), all])
    }

    fn recurrence(&self) -> Made {
        let [first, second, features] = self.array(0)?;
        self.sequence();
        self.reads_features(features);
        let directions = &number(match self.text("direction") {
            "bidirectional" => 2,
            _ => 1,
        });
        let hidden = match self.node.integer("hidden_size") {
            Some(size) => &number(size),
            None => self.dims(2)?.last()?,
        };
        let (state, all) = if self.is_on("layout") {
            self.states_fit(0, first);
            (
                [first, directions, hidden],
                [first, second, directions, hidden],
            )
        } else {
            self.states_fit(1, second);
            (
                [directions, second, hidden],
                [first, directions, second, hidden],
            )
        };
        let state = Some(state.map(Expr::clone).to_vec());
        let all = Some(all.map(Expr::clone).to_vec());
        Some(vec![all, state.clone(), state])
    }

    /// An input has as many features as the weights.
    fn reads_features(&self, features: &Expr) {
        let Some([_, _, wanted]) = self.dims(1) else {
            return;
        };
        if self.operator().starts_with("Dynamic") {
            return;
        }
        let does = match wanted.number() {
            Some(size) => format!("reads {size} features"),
            None => "reads as many features".into(),
        };
        self.equal(features, wanted, does);
    }

    fn states_fit(&self, axis: usize, batch: &Expr) {
        let states = [5, 6].map(|state| self.dims(state).filter(|dims| dims.len() == 3));
        for state in states.into_iter().flatten() {
            self.equal(batch, &state[axis], "keeps a state a sample");
        }
        if let Some([lengths]) = self.dims(4) {
            self.equal(batch, lengths, "reads a length a sample");
        }
    }
}

/// Keys or values with an axis for the heads.
fn in_heads(source: &[Expr], new: &Expr, heads: &Expr) -> Dims {
    if source.len() == 4 {
        return Some(source.to_vec());
    }
    let width = source.get(2)?.over(heads);
    Some(vec![source[0].clone(), heads.clone(), new.clone(), width])
}
