//! Values that a run, and what there is beside it, give to every field of the template.

mod advised;
mod application;
mod baseline;
mod entries;
mod improvement;
mod load;
mod monitoring;
mod overview;
mod risk;
mod sources;
mod system;
mod targets;
mod testing;
mod timeline;

use super::found::{Found, NO_DATABASE, NO_NETWORK, NOT_GIVEN, not_measured, stated};
use super::keys::{CachingLayers, Document, Key, MonitoringTools, ScalingStrategies};

pub(super) use entries::{advice, entries};
pub(super) use sources::Fill;

pub(super) fn found(key: Key, fill: Fill<'_>) -> Found {
    load::found(key, *fill).unwrap_or_else(|| of_others(key, fill))
}

/// Of what a run under load says nothing.
fn of_others(key: Key, fill: Fill<'_>) -> Found {
    match key {
        Key::Overview(field) => overview::overview(field, fill),
        Key::Summary(field) => overview::summary(field, fill),
        Key::ResponseTimes(field) => baseline::response_time(field, *fill),
        Key::Throughputs(field) => baseline::throughput(field, *fill),
        Key::Resources(field) => baseline::resource(field, *fill),
        Key::Inference(field) => baseline::inference(field, *fill),
        Key::TrainingPerformance(field) => baseline::training(field, *fill),
        Key::TestConfiguration(field) => testing::configuration(field, *fill),
        Key::TestResults(field) => testing::result(field, *fill),
        Key::TestTypes(field) => testing::test(field, fill),
        Key::TestEnvironment(field) => testing::environment(field, *fill),
        Key::Benchmarks(field) => testing::benchmark(field, fill),
        Key::MemoryOptimization(field) => improvement::memory(field, *fill),
        Key::ModelOptimization(field) => improvement::model(field, *fill),
        Key::DataPipeline(field) => improvement::data_pipeline(field, *fill),
        Key::BeforeAfter(field) => improvement::before_and_after(field, fill),
        Key::Timeline(field) => timeline::timeline(field, *fill),
        Key::Targets(field) => targets::of_system(field, fill),
        Key::AiTargets(field) => targets::of_model(field, fill),
        Key::Indicators(field) => monitoring::indicator(field, *fill),
        Key::ModelMonitoring(field) => monitoring::of_model(field, *fill),
        Key::Alerts(field) => monitoring::alert(field, *fill),
        Key::Sustained(field) => monitoring::sustained(field, fill),
        Key::RegressionRisk(field) => risk::regression(field, fill),
        Key::Degradation(field) => risk::degradation(field, *fill),
        Key::MonitoringTools(MonitoringTools::CustomMetrics) => monitoring::metrics(*fill),
        Key::Document(Document::LastUpdated) => stated(overview::day(&fill.record.run.started_at)),
        Key::Database(_)
        | Key::QueryOptimization(_)
        | Key::DatabaseConfiguration(_)
        | Key::CachingLayers(CachingLayers::DatabaseCache)
        | Key::MonitoringTools(MonitoringTools::Database) => NO_DATABASE,
        Key::ScalingStrategies(ScalingStrategies::CdnImplementation)
        | Key::CachingLayers(CachingLayers::CdnCaching | CachingLayers::BrowserCaching) => {
            NO_NETWORK
        }
        Key::StressConfiguration(_) | Key::StressResults(_) => not_measured(
            "the run applied no more load than its plan says; `onnxprof load MODEL --stress` drives it up until it breaks",
        ),
        Key::CodeOptimization(_)
        | Key::CostBenefit(_)
        | Key::ScalingStrategies(
            ScalingStrategies::HorizontalScaling
            | ScalingStrategies::VerticalScaling
            | ScalingStrategies::LoadBalancing,
        )
        | Key::CachingLayers(CachingLayers::ApplicationCache)
        | Key::MonitoringTools(MonitoringTools::Application | MonitoringTools::Infrastructure)
        | Key::Document(Document::ReviewSchedule | Document::OptimizationOwner) => NOT_GIVEN,
    }
}
