"""Flask behind an HTTP API, with AWS's CDK: https://docs.aws.amazon.com/cdk/v2/guide/."""

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as api
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk.aws_apigatewayv2_integrations import HttpLambdaIntegration

app = cdk.App()
stack = cdk.Stack(app, "FlaskExample")

image = lambda_.DockerImageCode.from_image_asset(
    "..",
    exclude=["cdk", "terraform"],
    platform=ecr_assets.Platform.LINUX_AMD64,
)
log_group = logs.LogGroup(
    stack,
    "Log",
    retention=logs.RetentionDays.TWO_WEEKS,
    removal_policy=cdk.RemovalPolicy.DESTROY,
)

# The CDK's own role may write to every log group of the account.
role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
log_group.grant_write(role)

function = lambda_.DockerImageFunction(
    stack,
    "App",
    code=image,
    architecture=lambda_.Architecture.X86_64,
    memory_size=512,
    timeout=cdk.Duration.seconds(30),
    role=role,
    log_group=log_group,
)
http_api = api.HttpApi(
    stack, "Http", default_integration=HttpLambdaIntegration("Flask", function)
)

cdk.CfnOutput(stack, "Url", value=http_api.url or "")
app.synth()
