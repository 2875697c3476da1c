//! The template's text taken apart: which lines stand as they are, and which are fields to fill.

/// The template.
const TEMPLATE: &str = include_str!("template.md");

/// A part of the template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// A line that stands as it is.
    Fixed(String),
    /// A line to fill.
    Field {
        /// What stands before the label.
        lead: &'static str,
        /// The label.
        label: String,
        /// The field's key: `section.group.label`, each in lower case with `_` between words.
        key: String,
    },
    /// A numbered entry whose name is to be filled in.
    Entry {
        /// The key of its name.
        key: String,
    },
    /// The measured bottlenecks, in place of the template's one.
    Bottlenecks,
    /// The advice of a priority, in place of the template's one.
    Advice(usize),
    /// The tasks of a phase, in place of the template's one.
    Tasks(usize),
}

/// Sections whose entries are generated, by the key of their heading or of their numbered entry.
const GENERATED: [(&str, Part); 7] = [
    ("ai_ml_bottlenecks", Part::Bottlenecks),
    ("optimization_priorities.high_priority", Part::Advice(0)),
    ("optimization_priorities.medium_priority", Part::Advice(1)),
    ("optimization_priorities.low_priority", Part::Advice(2)),
    ("phase_1_quick_wins", Part::Tasks(0)),
    ("phase_2_medium_term_optimizations", Part::Tasks(1)),
    ("phase_3_strategic_optimizations", Part::Tasks(2)),
];

/// What nobody filled in. Sections that have no meaning for a model say so, others wait for people.
pub(super) fn without(key: &str) -> &'static str {
    let has = |word: &str| key.contains(word);
    if ["database", "query_optimization", "connection_pool"].into_iter().any(has) {
        "does not apply: a model's inference uses no database"
    } else if has("training_performance") || key.ends_with(".training_time") {
        "not measured: an inference profile"
    } else if ["network", "cdn", "browser_caching"].into_iter().any(has) {
        "does not apply: inference was measured on one machine, without a network"
    } else if has("garbage_collection") {
        "does not apply: inference runs in native code"
    } else if has("stress_test") {
        "not measured: the run applied no more load than its plan says"
    } else {
        "not given"
    }
}

/// Every part, in the template's order.
pub(super) fn outline() -> Vec<Part> {
    let mut reader = Reader::default();
    TEMPLATE.lines().for_each(|line| reader.read(line));
    reader.parts
}

/// The keys of all fields, in the template's order.
pub(super) fn keys() -> Vec<String> {
    let key = |part| match part {
        Part::Field { key, .. } | Part::Entry { key } => Some(key),
        _ => None,
    };
    outline().into_iter().filter_map(key).collect()
}

#[derive(Default)]
struct Reader {
    parts: Vec<Part>,
    section: String,
    group: Option<String>,
    /// What stands for the entries of this section, once it has been put there.
    generated: bool,
}

impl Reader {
    fn read(&mut self, line: &str) {
        if let Some(title) = line.strip_prefix('#').map(|rest| rest.trim_start_matches('#').trim()) {
            self.enter(slug(title));
            return self.fixed(line);
        }
        if line == "---" {
            self.enter("document".into());
            return self.fixed(line);
        }
        let Some((lead, rest)) = lead(line) else { return self.fixed(line) };
        let (label, after) = rest.split_once("**").unwrap_or((rest, ""));
        let text = after.trim_start_matches(':').trim();
        if lead == NUMBERED {
            self.numbered(line, label);
        } else if lead.is_empty() && !text.starts_with('[') {
            // A group's name, or a line that is complete.
            self.group = after.ends_with(':').then(|| slug(label));
            self.fixed(line);
        } else if !self.generated {
            let key = self.key(label);
            let label = label.trim_matches(['[', ']']).to_owned();
            self.parts.push(Part::Field { lead, label, key });
        }
    }

    fn enter(&mut self, section: String) {
        self.section = section;
        self.group = None;
        self.generated = false;
    }

    fn fixed(&mut self, line: &str) {
        self.parts.push(Part::Fixed(line.to_owned()));
    }

    /// A numbered entry: of a fixed name, which its fields belong to, or one to be filled in.
    fn numbered(&mut self, line: &str, label: &str) {
        let named = !label.starts_with('[');
        self.group = named.then(|| slug(label));
        let place = if named { self.key("").trim_end_matches('.').to_owned() } else { self.section.clone() };
        if named {
            self.fixed(line);
        }
        self.generated = false;
        if let Some((_, part)) = GENERATED.iter().find(|(key, _)| *key == place) {
            self.generated = true;
            self.parts.push(part.clone());
        } else if !named {
            let key = self.key(label);
            self.parts.push(Part::Entry { key });
        }
    }

    fn key(&self, label: &str) -> String {
        let group = self.group.as_ref().map(|group| format!("{group}.")).unwrap_or_default();
        format!("{}.{group}{}", self.section, slug(label))
    }
}

const NUMBERED: &str = "1. ";

/// How a line with a bold label begins, and what follows the first `**`.
fn lead(line: &str) -> Option<(&'static str, &str)> {
    let found = [("   - ", "   - **"), ("- ", "- **"), ("", "**")].into_iter();
    let plain = found.filter_map(|(lead, start)| Some((lead, line.strip_prefix(start)?))).next();
    let numbered = || {
        let (number, rest) = line.split_once(". **")?;
        number.parse::<u64>().ok().map(|_| (NUMBERED, rest))
    };
    plain.or_else(numbered)
}

/// `AI/ML Bottlenecks (if applicable)` as `ai_ml_bottlenecks`.
fn slug(title: &str) -> String {
    let title = title.split(" (").next().unwrap_or(title);
    let words = title.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("_").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_section_group_and_label() {
        let keys = keys();
        for key in [
            "optimization_overview.system_component",
            "current_performance_metrics.response_time_metrics.95th_percentile_response_time",
            "system_level_bottlenecks.bottleneck_category",
            "system_level_bottlenecks.root_cause",
            "application_level_optimizations.code_optimization.caching_strategy",
            "success_criteria.ai_performance_targets.inference_latency",
            "ai_ml_risks.model_performance_degradation.rollback",
            "document.optimization_owner",
        ] {
            assert!(keys.iter().any(|known| known == key), "{key} is not in {keys:#?}");
        }
    }

    #[test]
    fn generated_entries_stand_once_in_place_of_the_template_s() {
        let parts = outline();
        for (_, part) in &GENERATED {
            assert_eq!(parts.iter().filter(|known| *known == part).count(), 1, "{part:?}");
        }
        assert!(!parts.iter().any(|part| matches!(part, Part::Fixed(text) if text.contains("["))), "{parts:#?}");
    }

    #[test]
    fn sections_without_meaning_say_so() {
        assert!(without("database_bottlenecks.index_analysis").starts_with("does not apply"));
        assert_eq!(without("cost_benefit_analysis.implementation_cost"), "not given");
    }
}
