output "url" {
  description = "Where the application is"
  value       = aws_apigatewayv2_stage.default.invoke_url
}
