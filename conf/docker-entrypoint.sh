#!/bin/sh
# In a container others connect from outside, as guest too: that is the default here, weaker than any file or variable.
set -eu

etc=/etc/rabbitmq

# mentioned PATTERN: whether a configuration file has a line with it
mentioned() {
    for file in "${RABBITMQ_CONFIG_FILE:-$etc/rabbitmq}" "${RABBITMQ_CONFIG_FILE:-$etc/rabbitmq}".conf \
        "${RABBITMQ_ADVANCED_CONFIG_FILE:-$etc/advanced.config}" \
        ${RABBITMQ_CONFIG_FILES:-$etc/conf.d} ${RABBITMQ_CONFIG_FILES:-$etc/conf.d}/*.conf; do
        if [ -f "$file" ] && grep -Eq "^[^#%]*($1)" "$file"; then
            return 0
        fi
    done
    return 1
}

case "${1:-}" in
    '' | -*) set -- rabbitmq-server "$@" ;;  # options only
esac

case "$1" in
    rabbitmq-server | amqpd)
        if [ -z "${AMQPD_LISTENERS_TCP_DEFAULT+set}" ] && ! mentioned 'listeners\.tcp|tcp_listeners'; then
            host=${RABBITMQ_NODE_IP_ADDRESS:-0.0.0.0}
            case "$host" in *:*) host="[$host]" ;; esac
            export AMQPD_LISTENERS_TCP_DEFAULT="$host:${RABBITMQ_NODE_PORT:-5672}"
        fi
        if [ -z "${AMQPD_MANAGEMENT_TCP_IP+set}" ] && ! mentioned 'management\.(tcp|listener)\.ip'; then
            export AMQPD_MANAGEMENT_TCP_IP=0.0.0.0
        fi
        if [ -z "${AMQPD_PROMETHEUS_ENABLED+set}" ] && [ -z "${RABBITMQ_ENABLED_PLUGINS:-${RABBITMQ_PLUGINS:-}}" ] &&
            [ ! -f "${RABBITMQ_ENABLED_PLUGINS_FILE:-$etc/enabled_plugins}" ]; then
            export AMQPD_PROMETHEUS_ENABLED=true  # as in RabbitMQ's image
        fi
        if [ -z "${AMQPD_PROMETHEUS_TCP_IP+set}" ] && ! mentioned 'prometheus\.tcp\.(ip|listener)'; then
            export AMQPD_PROMETHEUS_TCP_IP=0.0.0.0
        fi
        if [ -z "${AMQPD_LOOPBACK_USERS+set}" ] && ! mentioned 'loopback_users'; then
            export AMQPD_LOOPBACK_USERS=
        fi
        ;;
esac

exec "$@"
