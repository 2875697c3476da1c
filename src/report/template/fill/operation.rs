//! How the model is served and watched once it runs.

use super::baseline::single;
use super::risk::scoring_again;
use super::{Found, Metric, NO_DATABASE, NO_NETWORK, NOT_GIVEN, Source, of_cell, or_why};
use crate::report::template::keys::{
    CachingLayers, Indicators, ModelMonitoring, MonitoringTools, ScalingStrategies, Sustained,
};

pub(super) fn scaling(field: ScalingStrategies) -> Found {
    match field {
        ScalingStrategies::CdnImplementation => NO_NETWORK,
        ScalingStrategies::HorizontalScaling
        | ScalingStrategies::VerticalScaling
        | ScalingStrategies::LoadBalancing => NOT_GIVEN,
    }
}

pub(super) fn caching(field: CachingLayers) -> Found {
    match field {
        CachingLayers::DatabaseCache => NO_DATABASE,
        CachingLayers::CdnCaching | CachingLayers::BrowserCaching => NO_NETWORK,
        CachingLayers::ApplicationCache => NOT_GIVEN,
    }
}

pub(super) fn tool(field: MonitoringTools) -> Found {
    match field {
        MonitoringTools::Database => NO_DATABASE,
        MonitoringTools::Application
        | MonitoringTools::Infrastructure
        | MonitoringTools::CustomMetrics => NOT_GIVEN,
    }
}

pub(super) fn indicator(field: Indicators, source: Source<'_>) -> Found {
    match field {
        Indicators::ResponseTimePercentiles => Ok(percentiles(source)),
        Indicators::ErrorRates | Indicators::ResourceUtilization | Indicators::BusinessMetrics => {
            NOT_GIVEN
        }
    }
}

fn percentiles(source: Source<'_>) -> String {
    let metrics = [
        ("50th", Metric::LatencyP50),
        ("95th", Metric::LatencyP95),
        ("99th", Metric::LatencyP99),
    ];
    let cell = single(source);
    let shown = metrics.map(|(name, metric)| format!("{name} {}", or_why(of_cell(cell, metric))));
    format!("of the baseline: {}", shown.join("; "))
}

pub(super) fn model(field: ModelMonitoring, source: Source<'_>) -> Found {
    match field {
        ModelMonitoring::ModelAccuracy => scoring_again(source),
        ModelMonitoring::InferenceLatency
        | ModelMonitoring::DataDriftDetection
        | ModelMonitoring::ResourceUsage => NOT_GIVEN,
    }
}

pub(super) fn sustained(field: Sustained) -> Found {
    match field {
        Sustained::RegressionDetection => {
            Ok("onnxprof compare BEFORE AFTER tells whether two runs differ".into())
        }
        Sustained::PerformanceStability | Sustained::ContinuousImprovement => NOT_GIVEN,
    }
}
