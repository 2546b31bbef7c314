variable "image_uri" {
  description = "The image in ECR, such as 123456789012.dkr.ecr.eu-west-1.amazonaws.com/flask-example:latest"
  type        = string
}

variable "name" {
  description = "The name of the function, and of what belongs to it"
  type        = string
  default     = "flask-example"
}

variable "architecture" {
  description = "What the image was built for: x86_64 or arm64"
  type        = string
  default     = "x86_64"
}

variable "log_retention_days" {
  description = "Days for which log lines are kept"
  type        = number
  default     = 14
}
