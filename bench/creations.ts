/** The n-th of many clusters; its ranges overlap none of another's. */
export function creation(number: number): object {
  const net = `${20 + (number >> 12)}.${(number >> 4) & 255}`
  return {
    Name: `made-${number}`, Profile: 'Edge', ClientToken: `token-${number}`, ClusterConfig: { SubnetIds: ['subnet-1'] },
    PodsConfig: { PodNetworkMode: 'Flannel', FlannelConfig: { PodCidrs: [`${net}.${(number & 15) * 16}.0/21`] } }, ServicesConfig: { ServiceCidrsv4: [`${net}.${(number & 15) * 16 + 8}.0/24`] },
  }
}
