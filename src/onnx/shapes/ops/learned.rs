//! Trees, linear models, scalers and encoders of `ai.onnx.ml`, and how many columns of a table they
//! read.

use super::{Call, DimRole, Dims, Expr, Made, Relation, number, product};
use crate::onnx::AttributeValue;

impl Call<'_> {
    pub(super) fn learned(&self) -> Made {
        self.demand_columns();
        Some(match self.operator() {
            "Scaler" | "Imputer" | "Binarizer" | "Normalizer" | "LabelEncoder"
            | "CategoryMapper" => vec![self.owned(0)],
            "OneHotEncoder" => vec![self.encoded()],
            "ArrayFeatureExtractor" => vec![self.extracted()],
            "FeatureVectorizer" => vec![self.side_by_side()],
            "LinearRegressor" => vec![self.table(number(self.integer("targets", 1)))],
            "TreeEnsembleRegressor" | "TreeEnsemble" => {
                vec![self.table(number(self.integer("n_targets", 1)))]
            }
            "SVMRegressor" => vec![self.table(number(1))],
            "LinearClassifier" | "TreeEnsembleClassifier" => {
                vec![Some(vec![self.rows()]), self.table(counted(self.classes()))]
            }
            "SVMClassifier" => vec![Some(vec![self.rows()]), self.table(Expr::Unknown)],
            "ZipMap" => vec![None],
            _ => return None,
        })
    }

    fn rows(&self) -> Expr {
        match self.dims(0) {
            Some([rows, _]) => rows.clone(),
            _ => Expr::Unknown,
        }
    }

    /// As many rows as the input has, of so many columns.
    fn table(&self, columns: Expr) -> Dims {
        Some(vec![self.rows(), columns])
    }

    fn encoded(&self) -> Dims {
        let mut made = self.owned(0)?;
        made.push(counted(self.longest(&["cats_int64s", "cats_strings"])));
        Some(made)
    }

    fn extracted(&self) -> Dims {
        let (columns, rows) = self.dims(0)?.split_last()?;
        let count = product(self.dims(1)?);
        self.role(columns, DimRole::Features);
        self.reached(columns);
        // Of a vector it makes one row.
        Some(match rows {
            [] => vec![number(1), count],
            rows => [rows, &[count]].concat(),
        })
    }

    fn side_by_side(&self) -> Dims {
        let width = self.total("inputdimensions")?;
        let [rows, _] = self.array(0)?;
        Some(vec![rows.clone(), number(width)])
    }

    fn demand_columns(&self) {
        // Of one axis alone it is one row.
        let Some([columns] | [_, columns, ..]) = self.dims(0) else {
            return;
        };
        if let Some(last) = self.last_column() {
            self.reads_up_to(columns, last);
        } else if let Some((count, does)) = self.exactly() {
            self.role(columns, DimRole::Features);
            let does = format_args!("{does} {count} features");
            self.equal(columns, &number(count), does);
        }
    }

    /// Trees read the columns that they ask about and do not look whether those are there.
    fn reads_up_to(&self, columns: &Expr, last: i64) {
        self.role(columns, DimRole::Features);
        if last >= 0 {
            let does = format_args!("reads columns up to {last}, counted from 0");
            self.bound(Relation::AtLeast, columns, last.saturating_add(1), does);
        }
    }

    /// The last column that trees ask about; leaves name one that does not count.
    fn last_column(&self) -> Option<i64> {
        let columns = self.integers("nodes_featureids")?.into_iter().enumerate();
        let modes = self.node.texts("nodes_modes");
        columns
            .filter(|&(place, _)| modes.get(place).is_none_or(|mode| mode != "LEAF"))
            .map(|(_, column)| column)
            .max()
    }

    /// The only number of columns that an operator takes, and what it does with them.
    fn exactly(&self) -> Option<(i64, &'static str)> {
        let coefficients = self.attribute_len("coefficients");
        Some(match self.operator() {
            "LinearRegressor" => (
                parted(coefficients, self.integer("targets", 1))?,
                "multiplies",
            ),
            "LinearClassifier" => (parted(coefficients, self.scores())?, "multiplies"),
            "SVMClassifier" | "SVMRegressor" => (self.vector()?, "compares"),
            "Scaler" => (several(self.longest(&["scale", "offset"]))?, "scales"),
            "Imputer" => {
                let values = ["imputed_value_floats", "imputed_value_int64s"];
                (several(self.longest(&values))?, "fills in")
            }
            _ => return None,
        })
    }

    /// Scores that a linear classifier computes: one an intercept, fewer than the classes where one
    /// score tells two apart.
    fn scores(&self) -> i64 {
        match self.attribute_len("intercepts") {
            0 => self.classes(),
            count => count,
        }
    }

    /// Numbers of a support vector, or of a linear model that goes by its name.
    fn vector(&self) -> Option<i64> {
        let (vectors, models) = match self.operator() {
            "SVMClassifier" => (self.total("vectors_per_class"), self.classes()),
            _ => (self.node.integer("n_supports"), 1),
        };
        match vectors.unwrap_or(0) {
            0 => parted(self.attribute_len("coefficients"), models),
            vectors => parted(self.attribute_len("support_vectors"), vectors),
        }
    }

    /// Classes that have a name or a number; 0 where none has.
    fn classes(&self) -> i64 {
        self.longest(&[
            "classlabels_ints",
            "classlabels_int64s",
            "classlabels_strings",
        ])
    }

    fn total(&self, name: &str) -> Option<i64> {
        let values = self.integers(name)?;
        Some(values.into_iter().fold(0, i64::saturating_add))
    }

    /// As many values as the longest of these attributes has.
    fn longest(&self, names: &[&str]) -> i64 {
        let lengths = names.iter().map(|name| self.attribute_len(name));
        lengths.max().unwrap_or(0)
    }

    fn attribute_len(&self, name: &str) -> i64 {
        let len = match self.node.attribute(name) {
            Some(AttributeValue::Integers(values)) => values.len(),
            Some(AttributeValue::Numbers(values)) => values.len(),
            Some(AttributeValue::Texts(values)) => values.len(),
            _ => 0,
        };
        len as i64
    }
}

fn counted(count: i64) -> Expr {
    match count {
        0 => Expr::Unknown,
        count => number(count),
    }
}

/// One number is for all columns.
fn several(count: i64) -> Option<i64> {
    (count > 1).then_some(count)
}

fn parted(whole: i64, parts: i64) -> Option<i64> {
    (whole > 0 && parts > 0 && whole % parts == 0).then(|| whole / parts)
}
