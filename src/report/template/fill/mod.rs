//! Values that a run gives to every field of the template.

mod baseline;
mod improvement;
mod risk;
mod targets;
mod testing;

use crate::analysis::Advice;
use crate::metric::Metric;
use crate::report::chapters::context::ending;
use crate::report::chapters::{advice, bottlenecks, gpu_cost};
use crate::report::template::found::{
    Absent, Found, NO_BASELINE, NO_DATABASE, NO_NETWORK, NO_TRAINING, NOT_GIVEN, all, not_measured,
    of_cell, of_session, or_why,
};
use crate::report::template::keys::{
    CachingLayers, Document, Indicators, Key, ModelMonitoring, MonitoringTools, Overview,
    ScalingStrategies, Summary, Sustained,
};
use crate::report::words::text::plain;
use crate::report::words::{self, Source, number};

pub(super) fn found(key: Key, source: Source<'_>) -> Found {
    match key {
        Key::Overview(field) => overview(field, source),
        Key::Summary(field) => summary(field, source),
        Key::ResponseTimes(field) => baseline::response_time(field, source),
        Key::Throughputs(field) => baseline::throughput(field, source),
        Key::Resources(field) => baseline::resource(field, source),
        Key::Inference(field) => baseline::inference(field, source),
        Key::TrainingPerformance(field) => baseline::training(field, source),
        Key::TestConfiguration(field) => testing::configuration(field, source),
        Key::TestResults(field) => testing::result(field, source),
        Key::TestTypes(field) => testing::test(field, source),
        Key::TestEnvironment(field) => testing::environment(field, source),
        Key::MemoryOptimization(field) => improvement::memory(field, source),
        Key::ModelOptimization(field) => improvement::model(field, source),
        Key::DataPipeline(field) => improvement::data_pipeline(field, source),
        Key::BeforeAfter(field) => improvement::before_and_after(field, source),
        Key::Timeline(field) => targets::timeline(field, source),
        Key::Targets(field) => targets::of_system(field, source),
        Key::AiTargets(field) => targets::of_model(field, source),
        Key::Indicators(Indicators::ResponseTimePercentiles) => Ok(baseline::percentiles(source)),
        Key::ModelMonitoring(ModelMonitoring::ModelAccuracy) => risk::scoring_again(source),
        Key::Sustained(Sustained::RegressionDetection) => {
            Ok("onnxprof compare BEFORE AFTER tells whether two runs differ".into())
        }
        Key::ImplementationRisk(field) => risk::of_advice(field, source),
        Key::RegressionRisk(field) => risk::regression(field),
        Key::Degradation(field) => risk::degradation(field, source),
        Key::Document(Document::LastUpdated) => Ok(plain(&source.record.run.started_at)),
        Key::Database(_)
        | Key::DatabaseBottleneck(_)
        | Key::QueryOptimization(_)
        | Key::DatabaseConfiguration(_)
        | Key::CachingLayers(CachingLayers::DatabaseCache)
        | Key::MonitoringTools(MonitoringTools::Database) => NO_DATABASE,
        Key::ScalingStrategies(ScalingStrategies::CdnImplementation)
        | Key::CachingLayers(CachingLayers::CdnCaching | CachingLayers::BrowserCaching) => {
            NO_NETWORK
        }
        Key::StressConfiguration(_) | Key::StressResults(_) => {
            not_measured("the run applied no more load than its plan says")
        }
        Key::SystemBottleneck(_)
        | Key::ApplicationBottleneck(_)
        | Key::Benchmarks(_)
        | Key::CodeOptimization(_)
        | Key::Alerts(_)
        | Key::CostBenefit(_)
        | Key::ScalingStrategies(
            ScalingStrategies::HorizontalScaling
            | ScalingStrategies::VerticalScaling
            | ScalingStrategies::LoadBalancing,
        )
        | Key::CachingLayers(CachingLayers::ApplicationCache)
        | Key::MonitoringTools(
            MonitoringTools::Application
            | MonitoringTools::Infrastructure
            | MonitoringTools::CustomMetrics,
        )
        | Key::Indicators(
            Indicators::ErrorRates | Indicators::ResourceUtilization | Indicators::BusinessMetrics,
        )
        | Key::ModelMonitoring(
            ModelMonitoring::InferenceLatency
            | ModelMonitoring::DataDriftDetection
            | ModelMonitoring::ResourceUsage,
        )
        | Key::Sustained(Sustained::PerformanceStability | Sustained::ContinuousImprovement)
        | Key::Document(Document::ReviewSchedule | Document::OptimizationOwner) => NOT_GIVEN,
    }
}

fn overview(field: Overview, source: Source<'_>) -> Found {
    let run = &source.record.run;
    Ok(match field {
        Overview::SystemComponent => {
            let variants = source.record.plan.variants.iter();
            let names = words::listed(variants.map(|variant| plain(&variant.name)));
            format!("the model {} ({names})", run.name)
        }
        Overview::OptimizationType => "AI Model".into(),
        Overview::OptimizationScope => "AI Pipeline: inference alone".into(),
        Overview::BaselineDate => plain(&run.started_at),
        Overview::TargetImprovement => return targets::inference_latency(source),
    })
}

fn summary(field: Summary, source: Source<'_>) -> Found {
    let of_each: fn(&Advice) -> String = match field {
        Summary::CurrentPerformanceStatus => return Ok(status(source)),
        Summary::KeyPerformanceIssues => return issues(source),
        Summary::OptimizationStrategy => |_| String::new(),
        Summary::ExpectedImprovements => |advice| format!(": {}", advice::gain(advice)),
        Summary::ResourceRequirements => |advice| format!(": {}", advice::effort(advice)),
    };
    let advice = &source.findings.decisions.advice;
    if advice.is_empty() {
        return Ok("none: the run shows no gain".into());
    }
    let texts = advice
        .iter()
        .map(|advice| format!("{}{}", advice::area(source, advice), of_each(advice)));
    Ok(words::joined(texts, "; "))
}

fn status(source: Source<'_>) -> String {
    let latency = or_why(of_cell(baseline::single(source), Metric::LatencyP50));
    format!(
        "{}: median latency of a single prediction {latency}. {}",
        source.baseline_name(),
        ending(source)
    )
}

const NAMED_ISSUES: usize = 3;

fn issues(source: Source<'_>) -> Found {
    all(
        bottlenecks::issues(source).into_iter().take(NAMED_ISSUES),
        "no limit was found",
    )
}
