//! How the model is served and watched once it runs.

use super::baseline::single;
use super::risk::scoring_again;
use super::{Absent, Found, Metric, NO_DATABASE, NO_NETWORK, Source, of_cell, or_why};
use crate::report::template::keys::{
    CachingLayers, Indicators, ModelMonitoring, MonitoringTools, ScalingStrategies, Sustained,
};

pub(super) fn scaling(field: ScalingStrategies) -> Found {
    Err(match field {
        ScalingStrategies::CdnImplementation => Absent::DoesNotApply(NO_NETWORK),
        ScalingStrategies::HorizontalScaling
        | ScalingStrategies::VerticalScaling
        | ScalingStrategies::LoadBalancing => Absent::NotGiven,
    })
}

pub(super) fn caching(field: CachingLayers) -> Found {
    Err(match field {
        CachingLayers::DatabaseCache => Absent::DoesNotApply(NO_DATABASE),
        CachingLayers::CdnCaching | CachingLayers::BrowserCaching => {
            Absent::DoesNotApply(NO_NETWORK)
        }
        CachingLayers::ApplicationCache => Absent::NotGiven,
    })
}

pub(super) fn tool(field: MonitoringTools) -> Found {
    Err(match field {
        MonitoringTools::Database => Absent::DoesNotApply(NO_DATABASE),
        MonitoringTools::Application
        | MonitoringTools::Infrastructure
        | MonitoringTools::CustomMetrics => Absent::NotGiven,
    })
}

pub(super) fn indicator(field: Indicators, source: Source<'_>) -> Found {
    match field {
        Indicators::ResponseTimePercentiles => Ok(percentiles(source)),
        Indicators::ErrorRates | Indicators::ResourceUtilization | Indicators::BusinessMetrics => {
            Err(Absent::NotGiven)
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
        | ModelMonitoring::ResourceUsage => Err(Absent::NotGiven),
    }
}

pub(super) fn sustained(field: Sustained) -> Found {
    match field {
        Sustained::RegressionDetection => {
            Ok("onnxprof compare BEFORE AFTER tells whether two runs differ".into())
        }
        Sustained::PerformanceStability | Sustained::ContinuousImprovement => Err(Absent::NotGiven),
    }
}
