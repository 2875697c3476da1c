//! The fields of the template: one table, in the template's order, which both the keys and their names come from.

/// An enum for each group of fields, and [`Key`] over all groups.
macro_rules! keys {
    ($($group:ident $place:literal { $($field:ident $name:literal),+ })+) => {
        $(
            #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
            pub(in crate::report) enum $group { $($field),+ }
        )+

        /// A field of the template, by the group that it stands in.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(in crate::report) enum Key { $($group($group)),+ }

        impl Key {
            /// All of them, in the template's order.
            pub(super) const ALL: &[Key] = &[$($(Key::$group($group::$field)),+),+];

            /// Its name in `context.toml`: section, group and label, each in lower case with `_` between words.
            pub(super) const fn name(self) -> &'static str {
                match self { $($(Key::$group($group::$field) => concat!($place, ".", $name)),+),+ }
            }
        }
    };
}

keys! {
    Overview "optimization_overview" {
        SystemComponent "system_component",
        OptimizationType "optimization_type",
        OptimizationScope "optimization_scope",
        BaselineDate "baseline_date",
        TargetImprovement "target_improvement"
    }
    Summary "executive_summary" {
        CurrentPerformanceStatus "current_performance_status",
        KeyPerformanceIssues "key_performance_issues",
        OptimizationStrategy "optimization_strategy",
        ExpectedImprovements "expected_improvements",
        ResourceRequirements "resource_requirements"
    }
    ResponseTimes "current_performance_metrics.response_time_metrics" {
        Average "average_response_time",
        Percentile95 "95th_percentile_response_time",
        Percentile99 "99th_percentile_response_time",
        SlowestEndpoint "slowest_endpoint"
    }
    Throughputs "current_performance_metrics.throughput_metrics" {
        RequestsPerSecond "requests_per_second",
        TransactionsPerMinute "transactions_per_minute",
        PeakLoadCapacity "peak_load_capacity",
        SustainedLoadCapacity "sustained_load_capacity"
    }
    Resources "current_performance_metrics.resource_utilization" {
        CpuUsage "cpu_usage",
        MemoryUsage "memory_usage",
        DiskIo "disk_i_o",
        NetworkIo "network_i_o"
    }
    Database "current_performance_metrics.database_performance" {
        QueryResponseTime "query_response_time",
        ConnectionPoolUsage "connection_pool_usage",
        LockWaitTime "lock_wait_time",
        IndexUsage "index_usage"
    }
    Inference "ai_ml_performance_baseline.model_inference_performance" {
        SinglePredictionLatency "single_prediction_latency",
        BatchPredictionThroughput "batch_prediction_throughput",
        ModelLoadingTime "model_loading_time",
        MemoryUsagePerModel "memory_usage_per_model"
    }
    TrainingPerformance "ai_ml_performance_baseline.training_performance" {
        TrainingTime "training_time",
        GpuUtilization "gpu_utilization",
        DataLoadingTime "data_loading_time",
        EpochTime "epoch_time"
    }
    SystemBottleneck "system_level_bottlenecks" {
        Category "bottleneck_category",
        Component "component",
        Symptoms "symptoms",
        RootCause "root_cause",
        Impact "impact",
        Frequency "frequency"
    }
    ApplicationBottleneck "application_level_bottlenecks" {
        Category "bottleneck_category",
        CodeLocation "code_location",
        PerformanceIssue "performance_issue",
        ProfilingResults "profiling_results",
        ResourceImpact "resource_impact"
    }
    DatabaseBottleneck "database_bottlenecks" {
        Category "bottleneck_category",
        QueryOperation "query_operation",
        PerformanceIssue "performance_issue",
        IndexAnalysis "index_analysis",
        LockAnalysis "lock_analysis"
    }
    TestConfiguration "load_testing_results.test_configuration" {
        TestTool "test_tool",
        VirtualUsers "virtual_users",
        TestDuration "test_duration",
        RampUpPattern "ramp_up_pattern"
    }
    TestResults "load_testing_results.results_summary" {
        PeakRpsAchieved "peak_rps_achieved",
        ErrorRate "error_rate",
        ResourceUtilizationAtPeak "resource_utilization_at_peak",
        BreakingPoint "breaking_point"
    }
    StressConfiguration "stress_testing_results.stress_test_configuration" {
        MaximumLoad "maximum_load",
        TestDuration "test_duration",
        RecoveryTest "recovery_test"
    }
    StressResults "stress_testing_results.stress_test_results" {
        SystemBreakingPoint "system_breaking_point",
        FailureMode "failure_mode",
        RecoveryTime "recovery_time",
        DataIntegrity "data_integrity"
    }
    Benchmarks "benchmark_comparisons.industry_benchmarks" {
        SimilarSystems "similar_systems",
        IndustryStandards "industry_standards",
        BestInClass "best_in_class"
    }
    CodeOptimization "application_level_optimizations.code_optimization" {
        AlgorithmImprovements "algorithm_improvements",
        DataStructureOptimization "data_structure_optimization",
        CachingStrategy "caching_strategy",
        AsynchronousProcessing "asynchronous_processing"
    }
    MemoryOptimization "application_level_optimizations.memory_optimization" {
        MemoryPoolManagement "memory_pool_management",
        GarbageCollectionTuning "garbage_collection_tuning",
        MemoryLeakDetection "memory_leak_detection",
        ObjectLifecycleManagement "object_lifecycle_management"
    }
    QueryOptimization "database_optimizations.query_optimization" {
        IndexCreation "index_creation",
        QueryRewriting "query_rewriting",
        ExecutionPlanAnalysis "execution_plan_analysis",
        StoredProcedureOptimization "stored_procedure_optimization"
    }
    DatabaseConfiguration "database_optimizations.database_configuration" {
        ConnectionPoolTuning "connection_pool_tuning",
        BufferPoolOptimization "buffer_pool_optimization",
        LockTimeoutSettings "lock_timeout_settings",
        MaintenanceJobs "maintenance_jobs"
    }
    ScalingStrategies "infrastructure_optimizations.scaling_strategies" {
        HorizontalScaling "horizontal_scaling",
        VerticalScaling "vertical_scaling",
        LoadBalancing "load_balancing",
        CdnImplementation "cdn_implementation"
    }
    CachingLayers "infrastructure_optimizations.caching_layers" {
        ApplicationCache "application_cache",
        DatabaseCache "database_cache",
        CdnCaching "cdn_caching",
        BrowserCaching "browser_caching"
    }
    ModelOptimization "ai_ml_optimizations.model_optimization" {
        ModelCompression "model_compression",
        ModelArchitecture "model_architecture",
        BatchOptimization "batch_optimization",
        HardwareAcceleration "hardware_acceleration"
    }
    DataPipeline "ai_ml_optimizations.data_pipeline_optimization" {
        DataLoading "data_loading",
        Preprocessing "preprocessing",
        FeatureEngineering "feature_engineering",
        ParallelProcessing "parallel_processing"
    }
    Timeline "ai_ml_optimization_timeline.model_optimization_schedule" {
        Profiling "week_1_2",
        Architecture "week_3_4",
        Pipeline "week_5_6",
        Hardware "week_7_8"
    }
    TestTypes "testing_strategy.test_types" {
        Unit "unit_performance_tests",
        Integration "integration_performance_tests",
        EndToEnd "end_to_end_performance_tests",
        Regression "regression_performance_tests"
    }
    TestEnvironment "testing_strategy.test_environment" {
        HardwareSpecifications "hardware_specifications",
        DataVolume "data_volume",
        NetworkConditions "network_conditions",
        MonitoringTools "monitoring_tools"
    }
    Targets "success_criteria.performance_targets" {
        ResponseTime "response_time",
        Throughput "throughput",
        ResourceUtilization "resource_utilization",
        ErrorRate "error_rate"
    }
    AiTargets "success_criteria.ai_performance_targets" {
        InferenceLatency "inference_latency",
        TrainingTime "training_time",
        ModelAccuracy "model_accuracy",
        ResourceEfficiency "resource_efficiency"
    }
    MonitoringTools "performance_monitoring_setup.monitoring_tools" {
        Application "application_performance_monitoring",
        Infrastructure "infrastructure_monitoring",
        Database "database_monitoring",
        CustomMetrics "custom_metrics"
    }
    Indicators "performance_monitoring_setup.key_performance_indicators" {
        ResponseTimePercentiles "response_time_percentiles",
        ErrorRates "error_rates",
        ResourceUtilization "resource_utilization",
        BusinessMetrics "business_metrics"
    }
    ModelMonitoring "ai_ml_monitoring.model_performance_monitoring" {
        InferenceLatency "inference_latency",
        ModelAccuracy "model_accuracy",
        DataDriftDetection "data_drift_detection",
        ResourceUsage "resource_usage"
    }
    Alerts "alerting_strategy.performance_alerts" {
        ResponseTimeDegradation "response_time_degradation",
        ErrorRateIncrease "error_rate_increase",
        ResourceExhaustion "resource_exhaustion",
        ThroughputDecline "throughput_decline"
    }
    ImplementationRisk "implementation_risks" {
        Category "risk_category",
        Description "risk_description",
        Probability "probability",
        Impact "impact",
        MitigationStrategy "mitigation_strategy",
        RollbackPlan "rollback_plan"
    }
    RegressionRisk "performance_risks.optimization_regression" {
        Risk "risk",
        Detection "detection",
        Prevention "prevention"
    }
    Degradation "ai_ml_risks.model_performance_degradation" {
        Risk "risk",
        Monitoring "monitoring",
        Rollback "rollback"
    }
    BeforeAfter "performance_improvement_metrics.before_vs_after_comparison" {
        ResponseTimeImprovement "response_time_improvement",
        ThroughputIncrease "throughput_increase",
        ResourceEfficiency "resource_efficiency",
        UserExperience "user_experience"
    }
    CostBenefit "performance_improvement_metrics.cost_benefit_analysis" {
        ImplementationCost "implementation_cost",
        PerformanceBenefit "performance_benefit",
        RoiCalculation "roi_calculation"
    }
    Sustained "long_term_monitoring.sustained_performance" {
        PerformanceStability "performance_stability",
        RegressionDetection "regression_detection",
        ContinuousImprovement "continuous_improvement"
    }
    Document "document" {
        LastUpdated "last_updated",
        ReviewSchedule "review_schedule",
        OptimizationOwner "optimization_owner"
    }
}

impl Key {
    /// The field of a name in `context.toml`.
    pub(super) fn named(name: &str) -> Option<Key> {
        Key::ALL.iter().copied().find(|key| key.name() == name)
    }

    /// Whether people tell it better than a run: what the run is about, and who answers for it.
    pub(super) fn is_for_people(self) -> bool {
        matches!(self, Key::Overview(_) | Key::Document(_))
    }
}
