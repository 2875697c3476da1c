//! The fields of the whole template that a run fills, by the template's keys.

use crate::analysis::{Action, CellFindings, Estimate};
use crate::metric::Metric;
use crate::report::chapters::advice as advised;
use crate::report::chapters::bottlenecks as advice;
use crate::report::chapters::context::{Item, ending, machine, time};
use crate::report::view::targets;
use crate::report::view::template::{Fields, cell_figure};
use crate::report::words::number;
use crate::report::words::text::plain;
use crate::report::words::{self, Source, not_measured};

/// Every field that the run fills; `label` is the key.
pub(in crate::report) fn measured(source: Source<'_>, fields: &Fields) -> Vec<Item> {
    let mut items = overview(source, fields);
    items.extend(summary(source));
    items.extend(baseline(source));
    items.extend(load_test(source));
    items.extend(techniques(source));
    items.extend(testing_plan(source, fields));
    items.extend(monitoring(source, fields));
    items.extend(risks(source, fields));
    items.extend(of_fields(fields));
    items.push(Item::new("document.last_updated", plain(&source.record.run.started_at)));
    items
}

/// Items below one key.
fn below<const N: usize>(place: &str, items: [(&str, String); N]) -> Vec<Item> {
    items.into_iter().map(|(name, text)| Item::new(format!("{place}.{name}"), text)).collect()
}

/// The sections that the ordinary report has as well.
fn of_fields(fields: &Fields) -> Vec<Item> {
    let optimizations = "ai_ml_optimizations";
    let sections: [(&str, &[Item]); 8] = [
        ("ai_ml_performance_baseline.model_inference_performance", &fields.inference),
        ("ai_ml_performance_baseline.training_performance", &fields.training),
        (&format!("{optimizations}.model_optimization"), &fields.model_optimization),
        (&format!("{optimizations}.data_pipeline_optimization"), &fields.data_pipeline),
        ("success_criteria.ai_performance_targets", &fields.targets),
        ("ai_ml_optimization_timeline.model_optimization_schedule", &fields.timeline),
        ("ai_ml_risks.model_performance_degradation", &fields.degradation),
        ("performance_improvement_metrics.before_vs_after_comparison", &fields.before_after),
    ];
    let item = |(place, items): (&str, &[Item])| {
        let key = |label: &str| label.to_lowercase().replace([' ', '-', '/'], "_");
        items.iter().map(|item| Item::new(format!("{place}.{}", key(&item.label)), item.text.clone())).collect()
    };
    sections.into_iter().map(item).collect::<Vec<Vec<Item>>>().concat()
}

fn overview(source: Source<'_>, fields: &Fields) -> Vec<Item> {
    let run = &source.record.run;
    let names: Vec<String> = source.record.plan.variants.iter().map(|variant| plain(&variant.name)).collect();
    let target = fields.targets.first().map(|item| item.text.clone()).unwrap_or_default();
    below(
        "optimization_overview",
        [
            ("system_component", format!("the model {} ({})", plain(&run.name), words::listed(&names))),
            ("optimization_type", "AI Model".into()),
            ("optimization_scope", "AI Pipeline: inference alone".into()),
            ("baseline_date", plain(&run.started_at)),
            ("target_improvement", target),
        ],
    )
}

fn summary(source: Source<'_>) -> Vec<Item> {
    let advice = &source.findings.advice;
    let none = || "none: the run shows no gain".to_owned();
    let areas: Vec<String> = advice.iter().map(|advice| advised::area(source, advice)).collect();
    let gains = advice.iter().map(|advice| format!("{}: {}", advised::area(source, advice), advised::gain(advice)));
    let gains: Vec<String> = gains.collect();
    let efforts = advice.iter().map(|advice| format!("{}: {}", advised::area(source, advice), advised::effort(advice)));
    let efforts: Vec<String> = efforts.collect();
    let joined = |texts: Vec<String>| if texts.is_empty() { none() } else { texts.join("; ") };
    let issues = advice::limits(source).into_iter().take(3);
    let issues: Vec<String> =
        issues.filter_map(|entry| Some(format!("{}: {}", entry.title, entry.fields.get(1)?.text))).collect();
    let issues = if issues.is_empty() { not_measured("no limit was found") } else { issues.join("; ") };
    below(
        "executive_summary",
        [
            ("current_performance_status", status(source)),
            ("key_performance_issues", issues),
            ("optimization_strategy", joined(areas)),
            ("expected_improvements", joined(gains)),
            ("resource_requirements", joined(efforts)),
        ],
    )
}

/// The baseline at a glance.
fn status(source: Source<'_>) -> String {
    let latency = cell_figure(single(source), Metric::LatencyP50);
    let name = source.baseline_name();
    format!("{name}: median latency of a single prediction {latency}. {}", ending(source))
}

/// The baseline's cell for single predictions.
fn single(source: Source<'_>) -> Option<&CellFindings> {
    let baseline = source.baseline()?.session;
    source.single().into_iter().find(|cell| cell.key.session == baseline)
}

fn baseline(source: Source<'_>) -> Vec<Item> {
    let cell = single(source);
    let figure = |metric| cell_figure(cell, metric);
    let place = "current_performance_metrics";
    let mut items = below(
        &format!("{place}.response_time_metrics"),
        [
            ("average_response_time", figure(Metric::LatencyMean)),
            ("95th_percentile_response_time", figure(Metric::LatencyP95)),
            ("99th_percentile_response_time", figure(Metric::LatencyP99)),
            ("slowest_endpoint", slowest(source)),
        ],
    );
    let open = "the load was closed: so many requests in flight, each sent when the last was done";
    items.extend(below(
        &format!("{place}.throughput_metrics"),
        [
            ("requests_per_second", figure(Metric::Throughput)),
            ("transactions_per_minute", per_minute(cell)),
            ("peak_load_capacity", not_measured(open)),
            ("sustained_load_capacity", not_measured(open)),
        ],
    ));
    let memory = |metric| {
        let estimate = source.baseline().and_then(|baseline| baseline.figure(metric));
        estimate.map_or_else(|| not_measured("not asked for"), |estimate| words::full(metric, estimate))
    };
    items.extend(below(
        &format!("{place}.resource_utilization"),
        [
            ("cpu_usage", cpu(cell)),
            (
                "memory_usage",
                format!("model memory {}; peak {}", memory(Metric::ModelMemory), memory(Metric::PeakMemory)),
            ),
            ("disk_i_o", not_measured("the model is in memory while it is timed")),
        ],
    ));
    items
}

fn per_minute(cell: Option<&CellFindings>) -> String {
    let rate = cell.and_then(|cell| cell.figure(Metric::Throughput)).and_then(Estimate::measured);
    match rate {
        Some(rate) => {
            let n = words::counted(rate);
            format!("{} predictions per minute, one after another, n = {n}", per_minute_digits(rate.value))
        }
        None => cell_figure(cell, Metric::Throughput),
    }
}

/// Sixty times a rate, with three digits.
fn per_minute_digits(per_sec: f64) -> String {
    let shown = number::value(crate::metric::Unit::PerSec, per_sec * 60.0, None);
    shown.trim_end_matches("/s").to_owned()
}

fn cpu(cell: Option<&CellFindings>) -> String {
    let average = cell_figure(cell, Metric::CpuUtilization);
    let peak = cell.and_then(|cell| cell.figure(Metric::CpuUtilizationPeak)?.measured().map(|_| cell));
    let peak = peak.map(|cell| format!("; at the peak: {}", cell_figure(Some(cell), Metric::CpuUtilizationPeak)));
    format!("of the worker's CPUs, on average: {average}{}", peak.unwrap_or_default())
}

/// A model has no endpoints; its variants are what can be slow.
fn slowest(source: Source<'_>) -> String {
    let latency = |cell: &CellFindings| cell.value(Metric::LatencyP50);
    let slowest = source.single().into_iter().filter(|cell| latency(cell).is_some());
    let slowest = slowest.max_by(|one, other| latency(one).unwrap_or(0.0).total_cmp(&latency(other).unwrap_or(0.0)));
    match slowest {
        Some(cell) => {
            let median = cell_figure(Some(cell), Metric::LatencyP50);
            format!("{}, the slowest variant: median {median}", source.name(cell.key.session))
        }
        None => not_measured("no variant could be measured"),
    }
}

fn load_test(source: Source<'_>) -> Vec<Item> {
    let run = &source.record.run;
    let requests: Vec<String> =
        source.record.plan.load_modes.iter().map(|mode| mode.concurrency().to_string()).collect();
    let elapsed = run.elapsed_ns.map_or_else(|| not_measured("the run did not come to its end"), time);
    let mut items = below(
        "load_testing_results.test_configuration",
        [
            ("test_tool", format!("onnxprof {}", plain(&run.tool_version))),
            ("virtual_users", format!("{} in flight, closed loop", words::listed(&requests))),
            ("test_duration", elapsed),
            ("ramp_up_pattern", "none: the load is constant, after a warm-up of its own for every cell".into()),
        ],
    );
    let cell = fastest(source);
    let peak = cell.map_or_else(
        || not_measured("no session could be measured"),
        |cell| {
            let (name, at) = (source.name(cell.key.session), source.at(cell.key));
            format!("{name} {at}: {}", cell_figure(Some(cell), Metric::Throughput))
        },
    );
    let sessions = &source.findings.sessions;
    let failed = number::count(sessions.iter().map(|session| session.failed_launches_count).sum());
    let launches = number::count(sessions.iter().map(|session| session.all_launches_count).sum());
    items.extend(below(
        "load_testing_results.results_summary",
        [
            ("peak_rps_achieved", peak),
            ("error_rate", format!("{failed} of {launches} launches failed")),
            ("resource_utilization_at_peak", cpu(cell)),
            ("breaking_point", not_measured("a closed loop never sends more than is answered")),
        ],
    ));
    items
}

/// The cell of the highest throughput.
fn fastest(source: Source<'_>) -> Option<&CellFindings> {
    let rate = |cell: &CellFindings| cell.value(Metric::Throughput);
    let measured = source.findings.cells.iter().filter(|cell| rate(cell).is_some());
    measured.max_by(|one, other| rate(one).unwrap_or(0.0).total_cmp(&rate(other).unwrap_or(0.0)))
}

fn techniques(source: Source<'_>) -> Vec<Item> {
    let baseline = source.baseline();
    let arena = baseline.and_then(|baseline| baseline.figure(Metric::ArenaPeak));
    let arena = arena.map_or_else(|| not_measured("not asked for"), |found| words::full(Metric::ArenaPeak, found));
    below(
        "application_level_optimizations.memory_optimization",
        [("memory_pool_management", format!("ONNX Runtime's arena at its peak: {arena}"))],
    )
}

fn testing_plan(source: Source<'_>, fields: &Fields) -> Vec<Item> {
    let hardware: Vec<String> = machine(&source.record.host)
        .into_iter()
        .filter(|item| {
            let told = ["CPU", "CPUs", "Memory", "System"].contains(&item.label.as_str());
            told || (item.label.starts_with("GPU") && !item.text.starts_with("not measured"))
        })
        .map(|item| item.text)
        .collect();
    let samples = source.record.dataset.as_ref().map_or_else(
        || "inputs were made up".to_owned(),
        |data| format!("{} samples of {}", number::count(data.samples_count), plain(&data.source)),
    );
    let again = advice::command(&source.record.run.command);
    let mut items = below(
        "testing_strategy.test_types",
        [
            ("unit_performance_tests", format!("the model alone: {again}")),
            ("regression_performance_tests", "onnxprof gate RUN --rules gate.toml, on every change".into()),
        ],
    );
    items.extend(below(
        "testing_strategy.test_environment",
        [("hardware_specifications", hardware.join("; ")), ("data_volume", samples)],
    ));
    let resources = fields.targets.last().map(|item| item.text.clone()).unwrap_or_default();
    items.extend(below(
        "success_criteria.performance_targets",
        [
            ("response_time", targets::response(source)),
            ("throughput", targets::throughput(source)),
            ("resource_utilization", resources),
        ],
    ));
    items
}

fn monitoring(source: Source<'_>, fields: &Fields) -> Vec<Item> {
    let cell = single(source);
    let metrics = [("50th", Metric::LatencyP50), ("95th", Metric::LatencyP95), ("99th", Metric::LatencyP99)];
    let percentiles = metrics.map(|(name, metric)| format!("{name} {}", cell_figure(cell, metric)));
    let scored_again = fields.degradation.iter().find(|item| item.label == "Monitoring").map(|item| item.text.clone());
    let mut items = below(
        "performance_monitoring_setup.key_performance_indicators",
        [("response_time_percentiles", format!("of the baseline: {}", percentiles.join("; ")))],
    );
    items.extend(below(
        "ai_ml_monitoring.model_performance_monitoring",
        [("model_accuracy", scored_again.unwrap_or_default())],
    ));
    items.extend(below(
        "long_term_monitoring.sustained_performance",
        [("regression_detection", "onnxprof compare BEFORE AFTER tells whether two runs differ".into())],
    ));
    items
}

/// Risks of following the best advice.
fn risks(source: Source<'_>, fields: &Fields) -> Vec<Item> {
    let mut items = below(
        "performance_risks.optimization_regression",
        [
            ("detection", "onnxprof gate holds every run against rules".into()),
            ("prevention", "measure each change beside the baseline on one machine, as this run did".into()),
        ],
    );
    let file_back = || fields.degradation.iter().find(|item| item.label == "Rollback").map(|item| item.text.clone());
    if let Some(advice) = source.findings.advice.first() {
        let rollback = match advice.action {
            Action::Ship { .. } => file_back().unwrap_or_default(),
            _ => "undo the change: the model's file stays the same".into(),
        };
        items.extend(below(
            "implementation_risks",
            [
                ("risk_category", advised::area(source, advice)),
                ("risk_description", advised::risk(advice)),
                ("rollback_plan", rollback),
            ],
        ));
    }
    items
}
