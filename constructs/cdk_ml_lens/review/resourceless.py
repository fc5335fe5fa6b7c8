"""Actions for which IAM knows no resource type, of the services of an ML system: ``*`` is the only choice there."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cache

# From the Service Authorization Reference, as of 2026. "Describe*" of EC2 leaves out a few that take a resource.
# Source: https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html
_RESOURCELESS = {
    "athena": """GetCatalogs GetExecutionEngine GetExecutionEngines GetNamespace GetNamespaces GetQueryExecutions
        GetTable GetTables ListApplicationDPUSizes ListCapacityReservations ListDataCatalogs ListEngineVersions
        ListExecutors ListWorkGroups RunQuery""",
    "cloudwatch": """BatchGetServiceLevelIndicatorReport CreateServiceLevelObjective DeleteAnomalyDetector
        DescribeAlarmsForMetric DescribeAnomalyDetectors DescribeInsightRules EnableTopologyDiscovery GenerateQuery
        GenerateQueryResultsSummary GetMetricData GetMetricStatistics GetMetricWidgetImage
        GetTopologyDiscoveryStatus GetTopologyMap Link ListDashboards ListEntitiesForMetric ListManagedInsightRules
        ListMetricStreams ListMetrics ListServiceLevelObjectives ListServices PutAnomalyDetector
        PutManagedInsightRules PutMetricData""",
    "dynamodb": """DescribeEndpoints DescribeLimits DescribeReservedCapacity DescribeReservedCapacityOfferings
        GetAbacStatus InjectError ListBackups ListContributorInsights ListExports ListGlobalTables ListImports
        ListStreams ListTables PurchaseReservedCapacityOfferings UpdateAbacStatus""",
    "ec2": """Describe* AdvertiseByoipCidr AssociateIpamByoasn AssociateTrunkInterface BundleInstance
        CancelBundleTask CancelConversionTask CancelReservedInstancesListing ConfirmProductInstance
        CreateDefaultSubnet CreateDefaultVpc CreateReservedInstancesListing CreateSpotDatafeedSubscription
        DeleteSpotDatafeedSubscription DeleteSubnetCidrReservation DeprovisionByoipCidr
        DeregisterInstanceEventNotificationAttributes DisableAllowedImagesSettings
        DisableAwsNetworkPerformanceMetricSubscription DisableCapacityManager DisableEbsEncryptionByDefault
        DisableImageBlockPublicAccess DisableIpamOrganizationAdminAccount DisableSerialConsoleAccess
        DisableSnapshotBlockPublicAccess DisassociateIpamByoasn DisassociateTrunkInterface
        EnableAllowedImagesSettings EnableAwsNetworkPerformanceMetricSubscription EnableCapacityManager
        EnableEbsEncryptionByDefault EnableImageBlockPublicAccess EnableIpamOrganizationAdminAccount
        EnableReachabilityAnalyzerOrganizationSharing EnableSerialConsoleAccess EnableSnapshotBlockPublicAccess
        ExportTransitGatewayRoutes GetAllowedImagesSettings GetAwsNetworkPerformanceData
        GetCapacityManagerAttributes GetCapacityManagerMetricData GetCapacityManagerMetricDimensions
        GetDefaultCreditSpecification GetEbsDefaultKmsKeyId GetEbsEncryptionByDefault GetEnabledIpamPolicy
        GetHostReservationPurchasePreview GetImageBlockPublicAccessState GetInstanceMetadataDefaults
        GetInstanceTypesFromInstanceRequirements GetSerialConsoleAccessStatus GetSnapshotBlockPublicAccessState
        GetSpotPlacementScores GetSubnetCidrReservations GetTransitGatewayAttachmentPropagations
        GetTransitGatewayPrefixListReferences GetTransitGatewayRouteTableAssociations
        GetTransitGatewayRouteTablePropagations GetVpnConnectionDeviceTypes InjectApiError ListImagesInRecycleBin
        ListSnapshotsInRecycleBin ListVolumesInRecycleBin ModifyAvailabilityZoneGroup
        ModifyDefaultCreditSpecification ModifyEbsDefaultKmsKeyId ModifyIdFormat ModifyIdentityIdFormat
        ModifyInstanceMetadataDefaults ModifyVpcBlockPublicAccessOptions MoveAddressToVpc ProvisionByoipCidr
        PurchaseReservedInstancesOffering PurchaseScheduledInstances RegisterInstanceEventNotificationAttributes
        ReplaceImageCriteriaInAllowedImagesSettings ResetEbsDefaultKmsKeyId RestoreAddressToClassic
        RunScheduledInstances StartDeclarativePoliciesReport UpdateCapacityManagerOrganizationsAccess
        WithdrawByoipCidr""",
    "ecr": """CreatePullThroughCacheRule CreateRepositoryCreationTemplate DeletePullThroughCacheRule
        DeleteRegistryPolicy DeleteRepositoryCreationTemplate DeleteSigningConfiguration
        DeregisterPullTimeUpdateExclusion DescribePullThroughCacheRules DescribeRegistry
        DescribeRepositoryCreationTemplates GetAccountSetting GetAuthorizationToken GetRegistryPolicy
        GetRegistryScanningConfiguration GetSigningConfiguration ListPullTimeUpdateExclusions PutAccountSetting
        PutRegistryPolicy PutRegistryScanningConfiguration PutReplicationConfiguration PutSigningConfiguration
        RegisterPullTimeUpdateExclusion UpdatePullThroughCacheRule UpdateRepositoryCreationTemplate
        ValidatePullThroughCacheRule""",
    "elasticmapreduce": """CreateRepository CreateSecurityConfiguration CreateStudio DeleteRepository
        DeleteSecurityConfiguration DescribeReleaseLabel DescribeRepository DescribeSecurityConfiguration
        GetBlockPublicAccessConfiguration LinkRepository ListClusters ListEditors ListNotebookExecutions
        ListReleaseLabels ListRepositories ListSecurityConfigurations ListStudioSessionMappings ListStudios
        ListSupportedInstanceTypes PutBlockPublicAccessConfiguration RunJobFlow UnlinkRepository UpdateRepository
        ViewEventsFromAllClustersInConsole""",
    "emr-serverless": """CreateApplication ListApplications""",
    "events": """ListApiDestinations ListArchives ListConnections ListEndpoints ListEventBuses ListEventSources
        ListPartnerEventSources ListReplays ListRuleNamesByTarget ListRules PutPartnerEvents PutPermission
        RemovePermission TestEventPattern""",
    "firehose": """ListDeliveryStreams""",
    "glue": """BatchGetCustomEntityTypes BatchGetStageFiles CheckSchemaVersionValidity CreateClassifier
        CreateCrawler CreateCustomEntityType CreateDataQualityRuleset CreateDevEndpoint
        CreateGlueIdentityCenterConfiguration CreateInboundIntegration CreateMLTransform CreateScript
        CreateSecurityConfiguration DeleteClassifier DeleteCustomEntityType DeleteGlueIdentityCenterConfiguration
        DeleteSecurityConfiguration DeregisterDataPreview DescribeInboundIntegrations GetClassifier GetClassifiers
        GetColumnStatisticsTaskRun GetColumnStatisticsTaskRuns GetColumnStatisticsTaskSettings GetCrawlerMetrics
        GetCrawlers GetCustomEntityType GetDataPreviewStatement GetDataflowGraph GetDevEndpoints GetEnvironment
        GetExecutors GetExecutorsThreads GetGeneratedCode GetGlueIdentityCenterConfiguration GetJobBookmark GetJobs
        GetLogParsingStatus GetMapping GetNotebookInstanceStatus GetPlan GetQueries GetQuery GetRecipeAction
        GetSecurityConfiguration GetSecurityConfigurations GetStage GetStageAttempt GetStageAttemptTaskList
        GetStageAttemptTaskSummary GetStageFiles GetStages GetStorage GetStorageUnit GetTriggers
        GlueNotebookAuthorize GlueNotebookRefreshCredentials ListBlueprints ListColumnStatisticsTaskRuns
        ListConnectionTypes ListCrawlers ListCustomEntityTypes ListDevEndpoints ListJobs ListRegistries ListSessions
        ListTriggers ListUsageProfiles ListWorkflows RequestLogParsing ResetJobBookmark RunDataPreviewStatement
        SendFeedback SendRecipeAction StartCompletion StartCrawlerSchedule StartNotebook StopCrawlerSchedule
        TerminateNotebook UpdateClassifier UpdateCrawlerSchedule UpdateGlueIdentityCenterConfiguration UseGlueStudio""",
    "iam": """CreateAccountAlias DeleteAccountAlias DeleteAccountPasswordPolicy DeleteCloudFrontPublicKey
        DisableOrganizationsRootCredentialsManagement DisableOrganizationsRootSessions
        DisableOutboundWebIdentityFederation EnableOrganizationsRootCredentialsManagement
        EnableOrganizationsRootSessions EnableOutboundWebIdentityFederation GenerateCredentialReport
        GetAccountAuthorizationDetails GetAccountEmailAddress GetAccountName GetAccountPasswordPolicy
        GetAccountSummary GetCloudFrontPublicKey GetContextKeysForCustomPolicy GetCredentialReport
        GetOrganizationsAccessReport GetOutboundWebIdentityFederationInfo GetServiceLastAccessedDetails
        GetServiceLastAccessedDetailsWithEntities ListAccountAliases ListCloudFrontPublicKeys ListDelegationRequests
        ListGroups ListInstanceProfiles ListOpenIDConnectProviders ListOrganizationsFeatures ListPolicies ListRoles
        ListSAMLProviders ListSTSRegionalEndpointsStatus ListServerCertificates ListUsers ListVirtualMFADevices
        SetSTSRegionalEndpointStatus SetSecurityTokenServicePreferences SimulateCustomPolicy
        UpdateAccountEmailAddress UpdateAccountName UpdateAccountPasswordPolicy UpdateCloudFrontPublicKey
        UploadCloudFrontPublicKey""",
    "iot": """CancelAuditMitigationActionsTask CancelAuditTask CancelDetectMitigationActionsTask
        ClearDefaultAuthorizer CreateAuditSuppression CreateCertificateFromCsr CreateKeysAndCertificate
        CreateTopicRuleDestination DeleteAccountAuditConfiguration DeleteAuditSuppression DeleteRegistrationCode
        DeleteV2LoggingLevel DescribeAccountAuditConfiguration DescribeAuditFinding
        DescribeAuditMitigationActionsTask DescribeAuditSuppression DescribeAuditTask DescribeDefaultAuthorizer
        DescribeDetectMitigationActionsTask DescribeEncryptionConfiguration DescribeEndpoint
        DescribeEventConfigurations DescribeThingRegistrationTask GetIndexingConfiguration GetLoggingOptions
        GetPackageConfiguration GetRegistrationCode GetV2LoggingOptions ListAttachedPolicies ListAuditFindings
        ListAuditMitigationActionsExecutions ListAuditMitigationActionsTasks ListAuditSuppressions ListAuditTasks
        ListAuthorizers ListBillingGroups ListCACertificates ListCertificateProviders ListCertificates
        ListCertificatesByCA ListCommands ListCustomMetrics ListDetectMitigationActionsTasks ListDimensions
        ListDomainConfigurations ListFleetMetrics ListIndices ListJobTemplates ListJobs ListManagedJobTemplates
        ListMitigationActions ListOTAUpdates ListOutgoingCertificates ListPackageVersions ListPackages ListPolicies
        ListPolicyPrincipals ListPrincipalPolicies ListProvisioningTemplates ListRelatedResourcesForAuditFinding
        ListRetainedMessages ListRoleAliases ListScheduledAudits ListStreams ListThingGroups
        ListThingRegistrationTaskReports ListThingRegistrationTasks ListThingTypes ListThings
        ListTopicRuleDestinations ListTopicRules ListTunnels ListV2LoggingLevels OpenTunnel
        PutVerificationStateOnViolation RegisterCACertificate RegisterCertificate RegisterCertificateWithoutCA
        RegisterThing SetLoggingOptions SetV2LoggingLevel SetV2LoggingOptions StartAuditMitigationActionsTask
        StartOnDemandAuditTask StartThingRegistrationTask StopThingRegistrationTask UpdateAccountAuditConfiguration
        UpdateAuditSuppression UpdateEncryptionConfiguration UpdateEventConfigurations UpdateIndexingConfiguration
        UpdatePackageConfiguration ValidateSecurityProfileBehaviors""",
    "kinesis": """DescribeAccountSettings DescribeLimits DisableEnhancedMonitoring EnableEnhancedMonitoring
        InjectApiError ListStreams UpdateAccountSettings UpdateShardCount UpdateStreamMode""",
    "kms": """ConnectCustomKeyStore CreateCustomKeyStore CreateKey DeleteCustomKeyStore DescribeCustomKeyStores
        DisconnectCustomKeyStore GenerateRandom ListAliases ListKeys ListRetirableGrants UpdateCustomKeyStore""",
    "lambda": """CreateCodeSigningConfig CreateEventSourceMapping GetAccountSettings ListCapacityProviders
        ListCodeSigningConfigs ListEventSourceMappings ListFunctions ListLayerVersions ListLayers""",
    "logs": """AssociateSourceToS3TableIntegration CallWithBearerToken CancelExportTask CancelImportTask
        CreateImportTask CreateLogDelivery DeleteAccountPolicy DeleteIndexPolicy DeleteIntegration DeleteLogDelivery
        DeletePipelineRule DeleteQueryDefinition DeleteResourcePolicy DescribeAccountPolicies
        DescribeConfigurationTemplates DescribeDeliveries DescribeDeliveryDestinations DescribeDeliverySources
        DescribeDestinations DescribeExportTasks DescribeFieldIndexes DescribeImportTaskBatches DescribeImportTasks
        DescribeIndexPolicies DescribeLogGroups DescribeLookupTables DescribeQueries DescribeQueryDefinitions
        DescribeResourcePolicies DisassociateSourceFromS3TableIntegration GetIntegration GetLogDelivery GetLogFields
        Link ListAggregateLogGroupSummaries ListEntitiesForLogGroup ListIntegrations ListLogDeliveries ListLogGroups
        ListLogGroupsForEntity ListLogGroupsForQuery ListScheduledQueries ListSourcesForS3TableIntegration
        PutAccountPolicy PutIndexPolicy PutIntegration PutPipelineRule PutQueryDefinition PutResourcePolicy
        StopLiveTail StopQuery TestMetricFilter TestTransformer UpdateLogDelivery""",
    "s3": """CreateJob CreateStorageLensGroup GetAccessPoint GetAccountPublicAccessBlock ListAccessGrantsInstances
        ListAccessPoints ListAccessPointsForObjectLambda ListAllMyBuckets ListJobs ListMultiRegionAccessPoints
        ListStorageLensConfigurations ListStorageLensGroups PutAccessPointPublicAccessBlock
        PutAccountPublicAccessBlock PutStorageLensConfiguration""",
    "sagemaker": """CreateLineageGroupPolicy DeleteLineageGroupPolicy DeleteResourcePolicy DescribeLineageGroup
        DisableSagemakerServicecatalogPortfolio EnableSagemakerServicecatalogPortfolio GetLineageGroupPolicy
        GetResourcePolicy GetSagemakerServicecatalogPortfolioStatus GetSearchSuggestions ListActions ListAlgorithms
        ListAppImageConfigs ListApps ListArtifacts ListAssociations ListAutoMLJobs ListCandidatesForAutoMLJob
        ListClusterSchedulerConfigs ListClusters ListCodeRepositories ListCompilationJobs ListComputeQuotas
        ListContexts ListDataQualityJobDefinitions ListDeviceFleets ListDevices ListDomains ListEdgeDeploymentPlans
        ListEdgePackagingJobs ListEndpointConfigs ListEndpoints ListExperiments ListFeatureGroups
        ListFlowDefinitions ListHubs ListHumanLoops ListHumanTaskUis ListHyperParameterTuningJobs ListImages
        ListInferenceComponents ListInferenceExperiments ListInferenceRecommendationsJobSteps
        ListInferenceRecommendationsJobs ListLabelingJobs ListLineageGroups ListMlflowApps ListMlflowTrackingServers
        ListModelBiasJobDefinitions ListModelCards ListModelExplainabilityJobDefinitions ListModelMetadata
        ListModelPackageGroups ListModelQualityJobDefinitions ListModels ListMonitoringAlertHistory
        ListMonitoringAlerts ListMonitoringExecutions ListMonitoringSchedules ListNotebookInstanceLifecycleConfigs
        ListNotebookInstances ListOptimizationJobs ListPartnerApps ListPipelines ListProcessingJobs ListProjects
        ListResourceCatalogs ListSharedModelEvents ListSharedModels ListSpaces ListStageDevices
        ListStudioLifecycleConfigs ListSubscribedWorkteams ListTrainingJobs ListTrainingPlans ListTransformJobs
        ListTrialComponents ListTrials ListUserProfiles ListWorkforces ListWorkteams PutLineageGroupPolicy
        PutResourcePolicy QueryLineage RenderUiTemplate Search SearchTrainingPlanOfferings""",
    "scheduler": """ListScheduleGroups ListSchedules""",
    "secretsmanager": """BatchGetSecretValue GetRandomPassword ListSecrets""",
    "sns": """CheckIfPhoneNumberIsOptedOut CreatePlatformApplication CreatePlatformEndpoint
        CreateSMSSandboxPhoneNumber DeleteEndpoint DeletePlatformApplication DeleteSMSSandboxPhoneNumber
        GetEndpointAttributes GetPlatformApplicationAttributes GetSMSAttributes GetSMSSandboxAccountStatus
        GetSubscriptionAttributes ListEndpointsByPlatformApplication ListOriginationNumbers ListPhoneNumbersOptedOut
        ListPlatformApplications ListSMSSandboxPhoneNumbers ListSubscriptions ListTopics OptInPhoneNumber
        SetEndpointAttributes SetPlatformApplicationAttributes SetSMSAttributes SetSubscriptionAttributes
        Unsubscribe VerifySMSSandboxPhoneNumber""",
    "sqs": """ListQueues""",
    "states": """InvokeHTTPEndpoint ListActivities ListStateMachines RevealSecrets SendTaskFailure SendTaskHeartbeat
        SendTaskSuccess TestState ValidateStateMachineDefinition""",
}


def takes_a_resource(action: str) -> bool:
    """Tell whether IAM could hold an action to a resource; False for services that are not in the table.

    ``s3:Get*`` takes one, since most actions behind it do; ``service:*`` and ``*`` are no business of this function.
    """
    service, _, name = action.lower().partition(":")
    known = _resourceless().get(service)
    if known is None or name == "*":
        return False
    return not any(fnmatchcase(name, pattern) for pattern in known)


@cache
def _resourceless() -> dict[str, tuple[str, ...]]:
    return {service: tuple(names.lower().split()) for service, names in _RESOURCELESS.items()}
