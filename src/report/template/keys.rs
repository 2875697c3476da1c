//! The fields of the template: one table, in the template's order, whose text names them.

/// An enum for each group of fields, and [`Key`] over all groups.
macro_rules! keys {
    ($($group:ident { $($field:ident),+ })+) => {
        $(
            #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
            pub(in crate::report) enum $group { $($field),+ }
        )+

        /// A field of the template, by the group that it stands in.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(in crate::report) enum Key { $($group($group)),+ }

        impl Key {
            /// In the template's order.
            pub(super) const ALL: &[Key] = &[$($(Key::$group($group::$field)),+),+];
        }
    };
}

keys! {
    Overview {
        SystemComponent, OptimizationType, OptimizationScope, BaselineDate, TargetImprovement
    }
    Summary {
        CurrentPerformanceStatus, KeyPerformanceIssues, OptimizationStrategy, ExpectedImprovements,
        ResourceRequirements
    }
    ResponseTimes { Average, Percentile95, Percentile99, SlowestEndpoint }
    Throughputs {
        RequestsPerSecond, TransactionsPerMinute, PeakLoadCapacity, SustainedLoadCapacity
    }
    Resources { CpuUsage, MemoryUsage, DiskIo, NetworkIo }
    Database { QueryResponseTime, ConnectionPoolUsage, LockWaitTime, IndexUsage }
    Inference {
        SinglePredictionLatency, BatchPredictionThroughput, ModelLoadingTime, MemoryUsagePerModel
    }
    TrainingPerformance { TrainingTime, GpuUtilization, DataLoadingTime, EpochTime }
    TestConfiguration { TestTool, VirtualUsers, TestDuration, RampUpPattern }
    TestResults { PeakRpsAchieved, ErrorRate, ResourceUtilizationAtPeak, BreakingPoint }
    StressConfiguration { MaximumLoad, TestDuration, RecoveryTest }
    StressResults { SystemBreakingPoint, FailureMode, RecoveryTime, DataIntegrity }
    Benchmarks { SimilarSystems, IndustryStandards, BestInClass }
    CodeOptimization {
        AlgorithmImprovements, DataStructureOptimization, CachingStrategy, AsynchronousProcessing
    }
    MemoryOptimization {
        MemoryPoolManagement, GarbageCollectionTuning, MemoryLeakDetection,
        ObjectLifecycleManagement
    }
    QueryOptimization {
        IndexCreation, QueryRewriting, ExecutionPlanAnalysis, StoredProcedureOptimization
    }
    DatabaseConfiguration {
        ConnectionPoolTuning, BufferPoolOptimization, LockTimeoutSettings, MaintenanceJobs
    }
    ScalingStrategies { HorizontalScaling, VerticalScaling, LoadBalancing, CdnImplementation }
    CachingLayers { ApplicationCache, DatabaseCache, CdnCaching, BrowserCaching }
    ModelOptimization {
        ModelCompression, ModelArchitecture, BatchOptimization, HardwareAcceleration
    }
    DataPipeline { DataLoading, Preprocessing, FeatureEngineering, ParallelProcessing }
    Timeline { Profiling, Architecture, Pipeline, Hardware }
    TestTypes { Unit, Integration, EndToEnd, Regression }
    TestEnvironment { HardwareSpecifications, DataVolume, NetworkConditions, MonitoringTools }
    Targets { ResponseTime, Throughput, ResourceUtilization, ErrorRate }
    AiTargets { InferenceLatency, TrainingTime, ModelAccuracy, ResourceEfficiency }
    MonitoringTools { Application, Infrastructure, Database, CustomMetrics }
    Indicators { ResponseTimePercentiles, ErrorRates, ResourceUtilization, BusinessMetrics }
    ModelMonitoring { InferenceLatency, ModelAccuracy, DataDriftDetection, ResourceUsage }
    Alerts { ResponseTimeDegradation, ErrorRateIncrease, ResourceExhaustion, ThroughputDecline }
    RegressionRisk { Risk, Detection, Prevention }
    Degradation { Risk, Monitoring, Rollback }
    BeforeAfter { ResponseTimeImprovement, ThroughputIncrease, ResourceEfficiency, UserExperience }
    CostBenefit { ImplementationCost, PerformanceBenefit, RoiCalculation }
    Sustained { PerformanceStability, RegressionDetection, ContinuousImprovement }
    Document { LastUpdated, ReviewSchedule, OptimizationOwner }
}

impl Key {
    /// Whether people tell it better than a run: what the run is about, and who answers for it.
    pub(super) fn is_for_people(self) -> bool {
        matches!(self, Key::Overview(_) | Key::Document(_))
    }
}
