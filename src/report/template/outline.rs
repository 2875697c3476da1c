//! The template's text taken apart: which lines stand as they are, which are fields to fill, and
//! what those are called.

use std::sync::LazyLock;

use super::keys::Key;

const TEMPLATE: &str = include_str!("template.md");

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Fixed(&'static str),
    Field {
        lead: &'static str,
        label: &'static str,
        key: Key,
    },
    /// In place of the template's one.
    Generated(Generated),
}

/// Numbered entries, as many as were found or given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Generated {
    SystemBottlenecks,
    ApplicationBottlenecks,
    DatabaseBottlenecks,
    ModelBottlenecks,
    /// By priority.
    Advice(usize),
    /// By phase.
    Tasks(usize),
    Risks,
}

impl Generated {
    fn below(line: &str) -> Option<Self> {
        Some(match line {
            "### System-Level Bottlenecks" => Self::SystemBottlenecks,
            "### Application-Level Bottlenecks" => Self::ApplicationBottlenecks,
            "### Database Bottlenecks" => Self::DatabaseBottlenecks,
            "### AI/ML Bottlenecks (if applicable)" => Self::ModelBottlenecks,
            "1. **High Priority** (Critical Impact)" => Self::Advice(0),
            "2. **Medium Priority** (Significant Impact)" => Self::Advice(1),
            "3. **Low Priority** (Minor Impact)" => Self::Advice(2),
            "### Phase 1: Quick Wins (Weeks 1-2)" => Self::Tasks(0),
            "### Phase 2: Medium-term Optimizations (Weeks 3-6)" => Self::Tasks(1),
            "### Phase 3: Strategic Optimizations (Weeks 7-12)" => Self::Tasks(2),
            "### Implementation Risks" => Self::Risks,
            _ => return None,
        })
    }
}

/// The template's example of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sample {
    pub(super) generated: Generated,
    /// Table of `context.toml` that holds further entries.
    pub(super) table: String,
    /// Key of the entry's title there.
    pub(super) title: String,
    pub(super) labels: Vec<&'static str>,
}

#[derive(Default)]
struct Outline {
    parts: Vec<Part>,
    names: Vec<(Key, String)>,
    samples: Vec<Sample>,
}

static OUTLINE: LazyLock<Outline> = LazyLock::new(|| read(TEMPLATE));

pub(super) fn outline() -> &'static [Part] {
    &OUTLINE.parts
}

/// Fields with their names in `context.toml`: section, group and label, each in lower case with `_`
/// between words.
pub(super) fn names() -> &'static [(Key, String)] {
    &OUTLINE.names
}

pub(super) fn samples() -> &'static [Sample] {
    &OUTLINE.samples
}

pub(super) fn sample(generated: Generated) -> Option<&'static Sample> {
    samples()
        .iter()
        .find(|sample| sample.generated == generated)
}

pub(super) fn name(key: Key) -> &'static str {
    names()
        .iter()
        .find(|(known, _)| *known == key)
        .map_or("", |(_, name)| name)
}

pub(super) fn labels(wanted: impl Fn(Key) -> bool) -> impl Iterator<Item = (Key, &'static str)> {
    outline().iter().filter_map(move |part| match *part {
        Part::Field { label, key, .. } => wanted(key).then_some((key, label)),
        Part::Fixed(_) | Part::Generated(_) => None,
    })
}

fn read(template: &'static str) -> Outline {
    let mut reader = Reader {
        outline: Outline::default(),
        keys: Key::ALL,
        below: Below::Fields,
        section: String::new(),
        group: String::new(),
    };
    for line in template.lines() {
        reader.read(line);
    }
    reader.outline
}

enum Below {
    Fields,
    /// It has not begun yet.
    Example(Generated),
    /// Of that example.
    Rest,
}

struct Reader {
    outline: Outline,
    /// Of the fields that are still to come.
    keys: &'static [Key],
    below: Below,
    section: String,
    /// With a dot at its end; empty outside of any.
    group: String,
}

impl Reader {
    fn read(&mut self, line: &'static str) {
        let key = self.keys.first();
        match (key.and_then(|key| Part::blank(line, *key)), &self.below) {
            (None, _) => self.fixed(line),
            (Some(part), Below::Fields) => self.field(line, part),
            (Some(_), &Below::Example(generated)) => {
                self.outline.parts.push(Part::Generated(generated));
                self.outline.samples.push(Sample {
                    generated,
                    table: self.section.clone(),
                    title: label(line),
                    labels: Vec::new(),
                });
                self.below = Below::Rest;
            }
            (Some(_), Below::Rest) => {
                if let Some(sample) = self.outline.samples.last_mut() {
                    sample.labels.extend(bold(line));
                }
            }
        }
    }

    fn fixed(&mut self, line: &'static str) {
        self.outline.parts.push(Part::Fixed(line));
        // A heading, the rule before the document's own fields, or a numbered entry of a fixed name.
        if line.starts_with('#') || line == "---" || numbered(line).is_some() {
            self.below = Generated::below(line).map_or(Below::Fields, Below::Example);
        }
        let label = label(line);
        if line == "---" {
            self.section = "document".into();
            self.group.clear();
        } else if line.starts_with('#') {
            self.section = slug(line);
            self.group.clear();
        } else if !label.is_empty() && (line.ends_with(':') || numbered(line).is_some()) {
            self.group = format!("{label}.");
        }
    }

    fn field(&mut self, line: &'static str, part: Part) {
        self.outline.parts.push(part);
        if let Some((key, rest)) = self.keys.split_first() {
            let name = format!("{}.{}{}", self.section, self.group, label(line));
            self.outline.names.push((*key, name));
            self.keys = rest;
        }
    }
}

/// The first words in bold.
fn bold(line: &str) -> Option<&str> {
    line.split("**").nth(1)
}

/// The same, as they stand in a key.
fn label(line: &str) -> String {
    slug(bold(line).unwrap_or_default())
}

impl Part {
    /// The part that is to be filled in where a line leaves it blank.
    fn blank(line: &'static str, key: Key) -> Option<Self> {
        if numbered(line).is_some_and(|label| label.starts_with('[')) {
            let label = bold(line)?;
            return Some(Part::Field {
                lead: "",
                label,
                key,
            });
        }
        let mut leads = ["   - ", "- ", ""].into_iter();
        let (lead, rest) =
            leads.find_map(|lead| Some((lead, line.strip_prefix(lead)?.strip_prefix("**")?)))?;
        let (label, text) = rest.split_once("**")?;
        // Without a list around it, it is a group's name or a line that is complete, unless
        // brackets ask for something.
        let is_blank =
            !lead.is_empty() || text.trim_start_matches(':').trim_start().starts_with('[');
        is_blank.then_some(Part::Field { lead, label, key })
    }
}

/// Text after the first `**` of a line such as `1. **Code Optimization**`.
fn numbered(line: &str) -> Option<&str> {
    let (number, rest) = line.split_once(". **")?;
    number.parse::<u64>().ok().map(|_| rest)
}

/// `AI/ML Bottlenecks (if applicable)` as `ai_ml_bottlenecks`.
pub(super) fn slug(title: &str) -> String {
    title
        .split_once(" (")
        .map_or(title, |(before, _)| before)
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join("_")
        .to_lowercase()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::keys::ResponseTimes;
    use super::*;

    #[test]
    fn fields_of_the_text_are_those_of_the_table_in_its_order_and_are_called_alike() {
        assert_eq!(
            outline()
                .iter()
                .filter_map(|part| match *part {
                    Part::Field { key, .. } => Some(key),
                    Part::Fixed(_) | Part::Generated(_) => None,
                })
                .collect::<Vec<_>>(),
            Key::ALL
        );
        let names: BTreeSet<&str> = names().iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(names.len(), Key::ALL.len());
        for &key in Key::ALL {
            let shown = format!("{key:?}").to_lowercase();
            let (_, field) = shown.trim_end_matches(')').split_once('(').unwrap();
            let is_named_otherwise = match key {
                Key::ResponseTimes(of) => matches!(
                    of,
                    ResponseTimes::Percentile95 | ResponseTimes::Percentile99
                ),
                Key::Timeline(_) => true,
                _ => false,
            };
            assert!(
                is_named_otherwise || name(key).replace('_', "").contains(field),
                "{key:?}: {}",
                name(key)
            );
        }
        assert_eq!(
            name(Key::ResponseTimes(ResponseTimes::Percentile95)),
            "current_performance_metrics.response_time_metrics.95th_percentile_response_time"
        );
    }

    #[test]
    fn generated_entries_stand_once_in_place_of_the_template_s() {
        let generated = outline().iter().filter_map(|part| match *part {
            Part::Generated(generated) => Some(generated),
            Part::Fixed(_) | Part::Field { .. } => None,
        });
        use Generated::{
            Advice, ApplicationBottlenecks, DatabaseBottlenecks, ModelBottlenecks, Risks,
            SystemBottlenecks, Tasks,
        };
        let all = [
            SystemBottlenecks,
            ApplicationBottlenecks,
            DatabaseBottlenecks,
            ModelBottlenecks,
            Advice(0),
            Advice(1),
            Advice(2),
            Tasks(0),
            Tasks(1),
            Tasks(2),
            Risks,
        ];
        assert_eq!(generated.collect::<Vec<_>>(), all);
        let risks = sample(Risks).unwrap();
        assert_eq!(
            (risks.table.as_str(), risks.title.as_str()),
            ("implementation_risks", "risk_category")
        );
        assert_eq!(
            risks.labels,
            [
                "Risk Description",
                "Probability",
                "Impact",
                "Mitigation Strategy",
                "Rollback Plan"
            ]
        );
        assert!(
            !outline()
                .iter()
                .any(|part| matches!(part, Part::Fixed(text) if text.contains('[')))
        );
    }
}
