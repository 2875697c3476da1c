//! The template's text taken apart: which lines stand as they are, and which are fields to fill.

use std::slice::Iter;
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
    /// Its name is to be filled in.
    Entry {
        key: Key,
    },
    /// In place of the template's one.
    Generated(Generated),
}

/// As many as were found; each has its place in the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Generated {
    Bottlenecks,
    /// By priority.
    Advice(usize),
    /// By phase.
    Tasks(usize),
}

impl Generated {
    fn below(line: &str) -> Option<Self> {
        Some(match line {
            "### AI/ML Bottlenecks (if applicable)" => Self::Bottlenecks,
            "1. **High Priority** (Critical Impact)" => Self::Advice(0),
            "2. **Medium Priority** (Significant Impact)" => Self::Advice(1),
            "3. **Low Priority** (Minor Impact)" => Self::Advice(2),
            "### Phase 1: Quick Wins (Weeks 1-2)" => Self::Tasks(0),
            "### Phase 2: Medium-term Optimizations (Weeks 3-6)" => Self::Tasks(1),
            "### Phase 3: Strategic Optimizations (Weeks 7-12)" => Self::Tasks(2),
            _ => return None,
        })
    }
}

static OUTLINE: LazyLock<Vec<Part>> = LazyLock::new(|| read(TEMPLATE));

pub(super) fn outline() -> &'static [Part] {
    &OUTLINE
}

pub(super) fn labels(wanted: impl Fn(Key) -> bool) -> impl Iterator<Item = (Key, &'static str)> {
    outline().iter().filter_map(move |part| match *part {
        Part::Field { label, key, .. } => wanted(key).then_some((key, label)),
        _ => None,
    })
}

fn read(template: &'static str) -> Vec<Part> {
    let mut reader = Reader { parts: Vec::new(), keys: Key::ALL.iter(), below: Below::Fields };
    template.lines().for_each(|line| reader.read(line));
    reader.parts
}

enum Below {
    Fields,
    /// It has not begun yet.
    Example(Generated),
    /// Of that example.
    Rest,
}

struct Reader {
    parts: Vec<Part>,
    /// Of the fields that are still to come.
    keys: Iter<'static, Key>,
    below: Below,
}

impl Reader {
    fn read(&mut self, line: &'static str) {
        let Some(blank) = Blank::of(line) else {
            if starts_section(line) {
                self.below = Generated::below(line).map_or(Below::Fields, Below::Example);
            }
            return self.parts.push(Part::Fixed(line));
        };
        let part = match self.below {
            Below::Fields => self.keys.next().map(|&key| blank.filled_by(key)),
            Below::Example(generated) => Some(Part::Generated(generated)),
            Below::Rest => None,
        };
        self.parts.extend(part);
        if let Below::Example(_) = self.below {
            self.below = Below::Rest;
        }
    }
}

/// Whether a line is a heading, the rule before the document's own fields, or a numbered entry of a fixed name.
fn starts_section(line: &str) -> bool {
    line.starts_with('#') || line == "---" || numbered(line).is_some()
}

enum Blank {
    Field { lead: &'static str, label: &'static str },
    Entry,
}

impl Blank {
    fn of(line: &'static str) -> Option<Self> {
        if numbered(line).is_some_and(|label| label.starts_with('[')) {
            return Some(Blank::Entry);
        }
        let leads = ["   - ", "- ", ""].into_iter();
        let (lead, rest) =
            leads.filter_map(|lead| Some((lead, line.strip_prefix(lead)?.strip_prefix("**")?))).next()?;
        let (label, text) = rest.split_once("**")?;
        // Without a list around it, it is a group's name or a line that is complete, unless brackets ask for something.
        let is_blank = !lead.is_empty() || text.trim_start_matches(':').trim_start().starts_with('[');
        is_blank.then_some(Blank::Field { lead, label })
    }

    fn filled_by(self, key: Key) -> Part {
        match self {
            Blank::Field { lead, label } => Part::Field { lead, label, key },
            Blank::Entry => Part::Entry { key },
        }
    }
}

/// Text after the first `**` of a line such as `1. **Code Optimization**`.
fn numbered(line: &str) -> Option<&str> {
    let (number, rest) = line.split_once(". **")?;
    number.parse::<u64>().ok().map(|_| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `AI/ML Bottlenecks (if applicable)` as `ai_ml_bottlenecks`.
    fn slug(title: &str) -> String {
        let title = title.split(" (").next().unwrap();
        let words = title.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        words.collect::<Vec<_>>().join("_").to_lowercase()
    }

    /// The names of the fields as the template's text alone gives them.
    fn names() -> Vec<String> {
        let (mut section, mut group, mut is_example) = (String::new(), String::new(), false);
        let mut names = Vec::new();
        for line in TEMPLATE.lines() {
            let label = slug(line.split("**").nth(1).unwrap_or_default());
            let is_blank = Blank::of(line).is_some();
            if !is_blank && starts_section(line) {
                is_example = Generated::below(line).is_some();
            }
            if line.starts_with('#') || line == "---" {
                section = if line == "---" { "document".into() } else { slug(line) };
                group.clear();
            } else if !is_blank {
                let names_a_group = !label.is_empty() && (line.ends_with(':') || numbered(line).is_some());
                group = if names_a_group { format!("{label}.") } else { group };
            } else if !is_example {
                group = if numbered(line).is_some() { String::new() } else { group };
                names.push(format!("{section}.{group}{label}"));
            }
        }
        names
    }

    #[test]
    fn table_holds_the_fields_of_the_text_in_its_order_and_each_once() {
        let table: Vec<&str> = Key::ALL.iter().map(|key| key.name()).collect();
        assert_eq!(table, names());
        let keys = outline().iter().filter_map(|part| match *part {
            Part::Field { key, .. } | Part::Entry { key } => Some(key),
            _ => None,
        });
        assert_eq!(keys.collect::<Vec<_>>(), Key::ALL);
        let mut once = table.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), table.len());
        assert!(Key::ALL.iter().all(|&key| Key::named(key.name()) == Some(key)));
    }

    #[test]
    fn generated_entries_stand_once_in_place_of_the_template_s() {
        let generated = outline().iter().filter_map(|part| match *part {
            Part::Generated(generated) => Some(generated),
            _ => None,
        });
        use Generated::{Advice, Bottlenecks, Tasks};
        let all = [Bottlenecks, Advice(0), Advice(1), Advice(2), Tasks(0), Tasks(1), Tasks(2)];
        assert_eq!(generated.collect::<Vec<_>>(), all);
        assert!(!outline().iter().any(|part| matches!(part, Part::Fixed(text) if text.contains('['))));
    }
}
